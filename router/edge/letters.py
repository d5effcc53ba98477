"""A message in words: what a mail says of it, and what is posted to other systems."""

from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from zoneinfo import ZoneInfo

import msgspec

from router.core import labels
from router.core.contacts import with_name
from router.core.languages import catalogue_of
from router.core.languages.catalogue import Phrase
from router.core.notices import FollowUpDue
from router.core.tags import Tag
from router.edge.store.jobs import Caller, Job
from router.edge.store.messages import StoredMessage

POSTED_VERSION = 1
"""Of what is posted; new keys do not raise it."""


def as_mail(
    message: StoredMessage, recording: bytes | None, sender: str, to: str, zone: str, *, spared: bool = False
) -> EmailMessage:
    """The mail to one address, in the client's language; times are as in `zone`. `spared`: nobody is to call
    the number at which the caller could be called back."""
    say = catalogue_of(message.language).text
    caller = message.who or say(Phrase.WITHHELD, "formal")
    addressees = ", ".join(message.addressees) or message.client
    subject = Phrase.MAIL_CALLBACK if message.recording is None else Phrase.MAIL_MESSAGE
    called = message.arrived_at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
    lines = [say(Phrase.MAIL_CALLED, "formal").format(caller=caller, dialled=message.dialled, time=called)]
    if message.callback:
        lines.append(_call_back(message.language, message.callback, spared=spared))
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


def follow_up_mail(job: Job, who: Caller, sender: str, zone: str, tags: Mapping[str, Tag]) -> EmailMessage:
    """The mail of a follow-up to one address, in the client's language. `who` is the caller; times are as in
    `zone`, and `tags` are those that the client has."""
    say, due = catalogue_of(job.language).text, msgspec.json.decode(job.body, type=FollowUpDue)
    call = due.call
    caller = with_name(call.caller, who.name) or say(Phrase.WITHHELD, "formal")
    called = call.arrived_at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
    lines = [say(Phrase.MAIL_CALLED, "formal").format(caller=caller, dialled=call.dialled, time=called)]
    if due.callback:
        lines.append(_call_back(job.language, due.callback, spared=who.spared))
    named = (labels.of_tag(tags.get(tag, Tag(tag)), job.language) for tag in due.tags)
    became = labels.of_disposition(due.disposition, job.language)
    told = (became, due.answered_by or "", *due.queues, *named)
    lines += ["", f"{', '.join(filter(None, told))} ({job.client} {call.id})"]
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = sender, job.address
    mail["Subject"] = f"{due.follow_up}: {caller}"
    mail["Date"] = due.at
    mail["Auto-Submitted"] = "auto-generated"
    mail["Message-ID"] = f"<{call.id}.{job.id}@callrouter>"  # Sent twice, it is one to who reads it.
    mail.set_content("\n".join(lines) + "\n")
    return mail


def _call_back(language: str, number: str, *, spared: bool) -> str:
    """The line that says at which number to call back, or that nobody is to."""
    phrase = Phrase.MAIL_NOT_TO_CALL if spared else Phrase.MAIL_CALL_BACK
    return catalogue_of(language).text(phrase, "formal").format(number=number)


def as_posted(message: StoredMessage, recording: str | None, *, spared: bool = False) -> dict[str, object]:
    """What is posted, ready for JSON; `recording` is in base64, `spared` as in `as_mail`."""
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
        "do_not_contact": spared,
        "arrived_at": message.arrived_at,
        "left_at": message.left_at,
        "seconds": message.seconds,
        "recording": recording and {"content_type": "audio/x-wav", "base64": recording},
    }
