"""Python's own mail libraries against the server: smtplib sends, imaplib and poplib read, flag, copy and delete."""
import imaplib
import poplib
import smtplib
import ssl
import sys
import time
from email.message import EmailMessage

ports = dict(pair.split("=") for pair in sys.argv[1].split(","))
user, password = sys.argv[2], sys.argv[3]
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE

mail = EmailMessage()
mail["From"] = user
mail["To"] = user
mail["Subject"] = "Grüße aus Python – ✓"
mail.set_content("Ein Text mit Umlauten: äöü\n")
mail.add_alternative("<p>Ein Text mit <b>Umlauten</b>: äöü</p>", subtype="html")
mail.add_attachment(b"\x00\x01\x02" * 1000, maintype="application", subtype="octet-stream", filename="daten – 1.bin")

with smtplib.SMTP("127.0.0.1", int(ports["submission"])) as smtp:
    smtp.starttls(context=context)
    smtp.login(user, password)
    for _ in range(3):
        del mail["Message-ID"]
        smtp.send_message(mail)

imap = imaplib.IMAP4_SSL("127.0.0.1", int(ports["imaps"]), ssl_context=context)
imap.login(user, password)
for _ in range(100):
    status, data = imap.select("INBOX")
    assert status == "OK", data
    if int(data[0]) >= 3:
        break
    time.sleep(0.05)
assert int(data[0]) == 3, data
status, data = imap.search(None, "SUBJECT", "Python")
assert data[0].split() == [b"1", b"2", b"3"], data
status, data = imap.fetch("1", "(UID FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE INTERNALDATE)")
assert b"=?utf-8?" in data[0].lower() if isinstance(data[0], bytes) else True
assert imap.store("1", "+FLAGS", r"(\Seen \Flagged $Work)")[0] == "OK"
status, data = imap.fetch("1", "(FLAGS)")
assert rb"\Flagged" in data[0] and b"$Work" in data[0], data
assert imap.create("Projects/2026")[0] == "OK"
assert imap.copy("1", "Projects/2026")[0] == "OK"
assert imap.select("Projects/2026")[1] == [b"1"]
status, data = imap.fetch("1", "(FLAGS BODY.PEEK[])")
assert rb"\Flagged" in data[0][0] or any(rb"\Flagged" in part for part in data if isinstance(part, bytes)), data
assert b"daten" in data[0][1]
assert imap.append("Projects/2026", r"(\Draft)", imaplib.Time2Internaldate(time.time()), mail.as_bytes())[0] == "OK"
assert imap.select("INBOX")[0] == "OK"
assert imap.store("1:2", "+FLAGS", r"(\Deleted)")[0] == "OK"
status, data = imap.expunge()
assert sorted(data) in ([b"1", b"1"], [b"1", b"2"]), data
assert imap.rename("Projects/2026", "Projects/old")[0] == "OK"
assert imap.delete("Projects/old")[0] == "OK"
imap.logout()

pop = poplib.POP3_SSL("127.0.0.1", int(ports["pop3s"]), context=context)
pop.user(user)
pop.pass_(password)
count, size = pop.stat()
assert count == 1, count
uid = pop.uidl()[1][0]
response, lines, octets = pop.retr(1)
assert any(b"Subject:" in line for line in lines)
assert pop.top(1, 2)[0].startswith(b"+OK")
pop.dele(1)
pop.quit()
pop = poplib.POP3_SSL("127.0.0.1", int(ports["pop3s"]), context=context)
pop.user(user)
pop.pass_(password)
assert pop.stat()[0] == 0
pop.quit()
print("all well")
