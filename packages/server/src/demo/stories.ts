/**
 * What people write to each other in a year: conversations as a subject and who says what. `me` is the owner of the mailbox, `a`, `b`, `c` are
 * others. Words in braces are drawn anew for every conversation.
 */

export type Speaker = 'me' | 'a' | 'b' | 'c'
export interface Story {
  readonly language: 'en' | 'fr' | 'de' | 'es' | 'it' | 'ja' | 'ar'
  readonly subject: string
  readonly says: readonly (readonly [who: Speaker, text: string])[]
  /** What goes along with the first message. */
  readonly files?: readonly ('pdf' | 'csv' | 'picture' | 'pictures')[]
  /** Where it ends up when it is old; undefined: Archive. */
  readonly folder?: 'Projects' | 'Travel' | 'Family'
}

export const words: Readonly<Record<string, readonly string[]>> = {
  project: ['Lighthouse', 'Harbour', 'Meridian', 'Juniper', 'Atlas', 'Bluebird', 'Copper', 'Delta'],
  city: ['Zurich', 'Lyon', 'Porto', 'Utrecht', 'Ghent', 'Turin', 'Bergen', 'Graz', 'Nantes', 'Cork'],
  room: ['Ada', 'Grace', 'Room 4', 'the library', 'Hedy', 'the small office'],
  day: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'],
  jour: ['lundi', 'mardi', 'mercredi', 'jeudi', 'vendredi'],
  tag: ['Montag', 'Dienstag', 'Mittwoch', 'Donnerstag', 'Freitag'],
  offer: ['26-0412', '26-0388', '26-1170', '26-0951', '26-0207', '26-0633'],
  n: ['3', '4', '7', '12', '18', '25', '40'],
  sum: ['480', '1,250', '2,900', '7,400', '12,600'],
  dish: ['lasagne', 'a big salad', 'the lentil soup', 'two pies', 'bread and cheese'],
  book: ['The Summer Book', 'Invisible Cities', 'Piranesi', 'The Left Hand of Darkness', 'Austerlitz'],
}

export const stories: readonly Story[] = [
  {
    language: 'en',
    subject: 'Minutes of the {project} meeting',
    files: ['pdf'],
    folder: 'Projects',
    says: [
      [
        'a',
        'Hello everyone,\n\nthe minutes of {day} are attached. Three things are open: the budget of {sum}, the date of the first release, and who talks to the people in {city}.\n\nPlease tell me by {day} if I got anything wrong.',
      ],
      ['b', 'Thanks, that is how I remember it. I can take the budget.'],
      ['me', 'Looks right to me. I will call {city} tomorrow and report back here.'],
      ['a', 'Perfect. Then we only need a date.'],
    ],
  },
  {
    language: 'en',
    subject: '{project}: figures for the quarter',
    files: ['csv', 'pdf'],
    folder: 'Projects',
    says: [
      [
        'a',
        'The figures are in. Short version: {n} % above plan, mostly because {city} came early. The table and a one-page summary are attached.',
      ],
      ['me', 'Good news. Could you split the second column by month? Then I can use it on {day}.'],
      ['a', 'Done, the new table replaces the old one on the drive.'],
    ],
  },
  {
    language: 'en',
    subject: 'Lunch on {day}?',
    says: [
      ['a', 'I am in town on {day}. Lunch at the usual place, around half past twelve?'],
      ['me', 'Yes, gladly. I have until two.'],
      ['a', 'Booked. See you there!'],
    ],
  },
  {
    language: 'en',
    subject: 'Photos from {city}',
    files: ['pictures'],
    folder: 'Family',
    says: [
      [
        'a',
        'We are back, a little sunburnt and very happy. Here are the best ones; the rest when you come for dinner.\n\nThe second was taken from the top, after {n} bends and one flat tyre.',
      ],
      ['me', 'Beautiful! The light in the first one is unbelievable. Dinner: yes please.'],
      ['a', 'Saturday in two weeks then. I will make {dish}.'],
      ['b', 'May I come, too? I bring dessert.'],
      ['a', 'Of course.'],
    ],
  },
  {
    language: 'en',
    subject: 'Review of the {project} draft',
    files: ['pdf'],
    folder: 'Projects',
    says: [
      ['a', 'Could you read the draft before {day}? Sections 2 and 4 are the ones I am unsure about.'],
      [
        'me',
        'Read it on the train. Section 2 is clear now; in section 4 I would say what happens when the line is cut in the middle. Otherwise ready to go.',
      ],
      ['a', 'Very helpful, thank you. I added a paragraph and an example.'],
    ],
  },
  {
    language: 'en',
    subject: 'The heating in {room}',
    says: [
      [
        'a',
        'The heating in {room} has been at full power since {day} and cannot be turned down. Could somebody have a look?',
      ],
      ['b', 'A technician comes tomorrow between nine and eleven.'],
      ['b', 'Fixed: a valve was stuck. {room} should be pleasant again by this evening.'],
      ['me', 'Thank you, it already is.'],
    ],
  },
  {
    language: 'en',
    subject: 'Book club: {book}',
    says: [
      ['a', 'Next time we talk about "{book}". Who brings food? I can do {dish}.'],
      ['b', 'I am only half through. Is it worth it?'],
      ['c', 'Yes. The last hundred pages are the best ones.'],
      ['me', 'I bring wine and something to sit on.'],
    ],
  },
  {
    language: 'en',
    subject: 'Offer {offer} for {project}',
    files: ['pdf'],
    folder: 'Projects',
    says: [
      [
        'a',
        'Thank you for your inquiry. Our offer over {sum} is attached; it is valid for thirty days.\n\nIf you have questions, please call me directly.',
      ],
      ['me', 'Thank you. We will decide until {day}. Is delivery to {city} included?'],
      ['a', 'Yes, delivery and setting up are included.'],
    ],
  },
  {
    language: 'en',
    subject: 'Can you swap with me on {day}?',
    says: [
      ['a', 'My daughter has her first concert on {day} evening. Could you take my turn? I will take two of yours.'],
      ['me', 'Sure, one is enough. Enjoy the concert!'],
      ['a', 'You are the best.'],
    ],
  },
  {
    language: 'en',
    subject: 'A question about the last release',
    says: [
      [
        'a',
        'Since the last release the export takes about {n} minutes instead of one. Nothing else changed on our side. Is that known?',
      ],
      ['me', 'Not yet. Could you send me the log of one export?'],
      [
        'a',
        'Here are the interesting lines:\n\n  10:02:11 export begins, 18,204 entries\n  10:02:14 sorted\n  10:09:40 written\n\nSo it is the writing.',
      ],
      ['me', 'Found it: one flush an entry. It is fixed in tomorrow’s build, please try again then.'],
      ['a', 'Confirmed, eleven seconds. Thank you for the quick help.'],
    ],
  },
  {
    language: 'fr',
    subject: 'Compte rendu du projet {project}',
    files: ['pdf'],
    folder: 'Projects',
    says: [
      [
        'a',
        'Bonjour à tous,\n\nvous trouverez ci-joint le compte rendu de {jour}. Restent à décider : le budget, la date, et qui prévient {city}.\n\nMerci de me dire avant {jour} si j’ai oublié quelque chose.',
      ],
      ['me', 'Merci, c’est très clair. Je m’occupe de {city}.'],
      ['b', 'Rien à ajouter de mon côté.'],
    ],
  },
  {
    language: 'fr',
    subject: 'Photos de l’été',
    files: ['pictures'],
    folder: 'Family',
    says: [
      [
        'a',
        'Coucou,\n\nvoici enfin les photos de cet été près de {city}. La deuxième est ma préférée : on voyait la mer jusqu’à l’horizon.\n\nGros bisous',
      ],
      ['me', 'Magnifiques ! Tu me donneras l’adresse du gîte ?'],
      ['a', 'Bien sûr, je te l’envoie ce soir.'],
    ],
  },
  {
    language: 'fr',
    subject: 'Déjeuner {jour} ?',
    says: [
      ['a', 'Je passe au bureau {jour}. On déjeune ensemble ? J’ai réservé pour midi et demi, à l’endroit habituel.'],
      ['me', 'Avec plaisir, à {jour} !'],
    ],
  },
  {
    language: 'fr',
    subject: 'Facture n° {offer}',
    files: ['pdf'],
    says: [
      [
        'a',
        'Madame, Monsieur,\n\nveuillez trouver ci-joint votre facture du mois, d’un montant de {sum} €. Elle sera prélevée le 15.\n\nAvec nos salutations distinguées',
      ],
    ],
  },
  {
    language: 'de',
    subject: 'Protokoll der Besprechung {project}',
    files: ['pdf'],
    folder: 'Projects',
    says: [
      [
        'a',
        'Liebe Kolleginnen und Kollegen,\n\nanbei das Protokoll vom {tag}. Offen sind noch der Termin und die Übergabe an {city}. Rückmeldungen bitte bis {tag}.\n\nSchöne Grüße',
      ],
      ['me', 'Danke! Von meiner Seite passt alles.'],
      ['b', 'Passt auch für mich, größere Änderungen sehe ich nicht.'],
    ],
  },
  {
    language: 'de',
    subject: 'Fahrgemeinschaft nach {city}',
    folder: 'Travel',
    says: [
      [
        'a',
        'Ich fahre am {tag} mit dem Auto nach {city}, drei Plätze sind frei. Abfahrt um halb sieben. Wer möchte mit?',
      ],
      ['me', 'Ich komme gerne mit.'],
      ['b', 'Ich auch, wenn wir kurz beim Bäcker halten können.'],
    ],
  },
  {
    language: 'es',
    subject: 'Reunión del proyecto {project}',
    says: [
      ['a', 'Hola:\n\n¿te va bien hablar mañana sobre el presupuesto? Me gustaría cerrarlo antes de ir a {city}.'],
      ['me', 'Perfecto, a las diez. ¿Nos llamamos?'],
      ['a', 'Sí, te llamo yo. ¡Gracias!'],
    ],
  },
  {
    language: 'it',
    subject: 'Cena di sabato',
    says: [
      ['a', 'Ciao! Sabato prossimo facciamo una cena in giardino, più o meno in {n}. Porti qualcosa da bere?'],
      ['me', 'Volentieri, porto il vino e due sedie.'],
    ],
  },
  {
    language: 'ja',
    subject: '来週の打ち合わせについて',
    says: [
      [
        'a',
        'お世話になっております。\n\n来週の打ち合わせですが、水曜日の十時でよろしいでしょうか。資料を添付いたします。\n\nよろしくお願いいたします。',
      ],
      ['me', 'Wednesday at ten is fine. Thank you very much for the documents.'],
    ],
    files: ['pdf'],
  },
  {
    language: 'ar',
    subject: 'موعد الاجتماع القادم',
    says: [
      [
        'a',
        'السلام عليكم،\n\nنقترح أن يكون الاجتماع القادم يوم الأربعاء في الساعة العاشرة صباحا. هل يناسبكم هذا الموعد؟\n\nمع أطيب التحيات',
      ],
      ['me', 'Wednesday suits me well, thank you.'],
    ],
  },
]

/** People the owner knows; the domain of colleagues is his own. */
export const people: readonly {
  readonly name: string
  readonly local: string
  readonly domain?: string
  readonly language: Story['language']
}[] = [
  { name: 'Grace Okafor', local: 'grace.okafor', language: 'en' },
  { name: 'Tom Lindqvist', local: 'tom.lindqvist', language: 'en' },
  { name: 'Priya Raman', local: 'priya.raman', language: 'en' },
  { name: 'Hannah Weber', local: 'hannah.weber', domain: 'weber-partner.example', language: 'de' },
  { name: 'Jonas Brandt', local: 'jonas.brandt', domain: 'fabrikam.example', language: 'de' },
  { name: 'Camille Lefèvre', local: 'camille.lefevre', language: 'fr' },
  { name: 'Étienne Moreau', local: 'etienne.moreau', domain: 'atelier-moreau.example', language: 'fr' },
  { name: 'Maman', local: 'francoise.martin', domain: 'family.example', language: 'fr' },
  { name: 'Lucía Fernández', local: 'lucia.fernandez', domain: 'contoso.example', language: 'es' },
  { name: 'Marco Rinaldi', local: 'marco.rinaldi', domain: 'family.example', language: 'it' },
  { name: '田中 美咲', local: 'misaki.tanaka', domain: 'tanaka-design.example', language: 'ja' },
  { name: 'ليلى حداد', local: 'layla.haddad', domain: 'contoso.example', language: 'ar' },
  { name: 'Daniel Kowalski', local: 'daniel', domain: 'fabrikam.example', language: 'en' },
  { name: 'Ruth Abrams', local: 'ruth', domain: 'family.example', language: 'en' },
  { name: 'Sven Aaltonen', local: 'sven.aaltonen', domain: 'northwind.example', language: 'en' },
]
