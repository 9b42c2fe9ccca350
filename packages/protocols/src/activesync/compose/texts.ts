/** Words the server writes into replies and forwards. */
import { defineMessages } from '@postrider/domain'

export const say = defineMessages({
  originalMessage: { en: 'Original Message', fr: 'Message d’origine' },
  from: { en: 'From:', fr: 'De :' },
  sent: { en: 'Sent:', fr: 'Envoyé :' },
  to: { en: 'To:', fr: 'À :' },
  cc: { en: 'Cc:', fr: 'Cc :' },
  subject: { en: 'Subject:', fr: 'Objet :' },
})
