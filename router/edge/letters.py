"""A message in words: what a mail says of it, and what is posted to other systems."""

from email.message import EmailMessage
from email.policy import SMTP
from zoneinfo import ZoneInfo

from router.core.languages import catalogue_of
from router.core.languages.catalogue import Phrase
from router.edge.store.messages import StoredMessage

POSTED_VERSION = 1
"""Of what is posted; new keys do not raise it."""


def as_mail(message: StoredMessage, recording: bytes | None, sender: str, to: str, zone: str) -> EmailMessage:
    """The mail to one address, in the client's language; times are as in `zone`."""
    say = catalogue_of(message.language).text
    caller = message.who or say(Phrase.WITHHELD, "formal")
    addressees = ", ".join(message.addressees) or message.client
    subject = Phrase.MAIL_CALLBACK if message.recording is None else Phrase.MAIL_MESSAGE
    called = message.arrived_at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
    lines = [say(Phrase.MAIL_CALLED, "formal").format(caller=caller, dialled=message.dialled, time=called)]
    if message.callback:
        lines.append(say(Phrase.MAIL_CALL_BACK, "formal").format(number=message.callback))
    if recording is not None:
        lines.append(say(Phrase.MAIL_SECONDS, "formal").format(seconds=round(message.seconds)))
    if message.lost_at is not None:
        lines.append(say(Phrase.MAIL_LOST, "formal"))
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = say(subject, "formal").format(caller=caller, to=addressees)
    mail["Date"] = message.left_at
    mail["Auto-Submitted"] = "auto-generated"
    mail["Message-ID"] = f"<{message.call_id}@callrouter>"  # Sent twice, it is one to who reads it.
    mail.set_content("\n".join(lines) + "\n")
    if recording is not None:
        mail.add_attachment(recording, maintype="audio", subtype="x-wav", filename=f"{message.call_id}.wav")
    return mail


def as_posted(message: StoredMessage, recording: str | None) -> dict[str, object]:
    """What is posted, ready for JSON; `recording` is in base64."""
    return {
        "version": POSTED_VERSION,
        "event": "callback_requested" if message.recording is None else "message_left",
        "id": message.call_id,
        "client": message.client,
        "to": message.addressees,
        "caller": message.caller,
        "name": message.name,
        "dialled": message.dialled,
        "callback": message.callback,
        "arrived_at": message.arrived_at,
        "left_at": message.left_at,
        "seconds": message.seconds,
        "recording": recording and {"content_type": "audio/x-wav", "base64": recording},
    }
