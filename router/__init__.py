"""callrouter: answers inbound calls beside Asterisk.

The map: every module, in the order a call meets it. `core` is pure and decides; `edge` does.

A caller's channel enters our application
    edge/ari/models.py         Asterisk's events and models as we read them; generated
    edge/ari/generate.py       ... from Asterisk's own api-docs
    edge/ari/link.py           what the connection is given, tells and counts
    edge/ari/errors.py         why Asterisk cannot be used, as texts to act on
    edge/ari/opening.py        what is set up at each connect: version, websocket, filter
    edge/ari/connection.py     the one connection to Asterisk: events in, requests out
    edge/ari/rest.py           requests over the websocket, and those that await their reply
    edge/ari/outgoing.py       writing frames without waiting
    edge/ari/lane.py           requests over HTTP, for bulk
    edge/ari/backoff.py        how long to wait before the next attempt
    edge/ari/wire.py           Asterisk's words <-> the call machine's words
    edge/engine.py             one event in, one step of its call, journal, commands on the wire
    edge/livecall.py           one call and its timers, and all of them
    edge/arrivals.py           how calls begin
    edge/deadmen.py            the dead-man timers of all calls, set and lifted together
    edge/calllog.py            the line of the log that every call has, once it is over
    edge/callers.py            what is remembered of callers
    edge/contacts.py           ... and whom clients know them as
    edge/ports.py              what the engine needs of the rest of the edge

Facts -> decision
    core/arrival.py            what the caller's side sent -> facts, read once
    core/numbers.py            numbers, number patterns, caller id
    core/numberplans.py        how numbers are dialled in each country, and which cost extra
    core/alike.py              many patterns that begin alike, compared all at once
    core/regexes.py            regular expressions of callers' numbers and names
    core/times.py              durations, moments, dates and hours of the day, as written
    core/hours.py              when a client is open: week, dates, holidays, events of calendars
    core/counts.py             how many, as conditions ask it
    core/contacts.py           whom clients know by number
    core/facts.py              what is known of one arriving call
    core/plan.py               CallPlan: the steps a caller will meet; where rules and calls meet
    core/keypad.py             names as they are keyed in, and people found by them
    core/languages/catalogue.py    what the product itself says to people, in one language
    core/languages/en.py       ... in English
    core/languages/nb.py       ... in Norwegian
    core/languages/da.py       ... in Danish
    core/languages/vi.py       ... in Vietnamese
    core/languages/bg.py       ... in Bulgarian
    core/phrases.py            ... as prompts
    core/callerlanguage.py     in which language a caller is spoken to
    core/openings.py           when a client is open next, as a sentence
    core/donotcontact.py       numbers that nobody is to call
    core/verdict.py            what was decided of a number by command
    core/screening.py          who is refused, by which rule
    core/decide.py             decide(rules, facts) -> plan and trace
    core/conditions.py         the conditions of `when`
    core/trace.py              what a decision looked at, and what came of it
    core/explain.py            a decision's own trace, as text

A dialplan of the administrator's own only asks
    edge/agi.py                FastAGI: who asks, and is told
    edge/agiwire.py            ... AGI's words <-> ours
    edge/reached.py            ... or tells whom somebody has talked with
    edge/advice.py             what is told, and kept of that
    core/handout.py            a decision as variables of the dialplan

Rules (read at start and at reload)
    core/yamltext.py           YAML 1.2, strict, with the place of everything
    core/yamlsyntax.py         what is no YAML, in words
    core/remarks.py            errors and warnings: file:line:col, what, what to write
    core/reading.py            single values as written -> values: names, and what all have in common
    core/numbertexts.py        ... numbers, and who is rung
    core/lengths.py            ... lengths of time
    core/speechtexts.py        ... what is said or played
    core/dialplanwords.py      ... what the dialplan names
    core/forms.py              which form a value has that may have several
    core/written.py            what documents are made of: mappings with known keys, and values
    core/stepdocs.py           steps as written
    core/conditiondocs.py      conditions as written
    core/screeningdocs.py      screening as written
    core/calendardocs.py       calendars of hours as written
    core/followupdocs.py       follow-ups as written
    core/schema.py             the documents as written: the public contract
    core/shapes.py             a document against its schema, in words
    core/dialling.py           the trunk and what may be dialled through it
    core/contacttable.py       contacts as a table
    core/tables.py             tables beside the rules: CSV, one a line
    core/numberlists.py        lists of numbers in them, indexed once for all
    core/peopletable.py        people in them
    core/icaltext.py           calendars in them, and of the web: text -> events
    core/occurrences.py        ... and when those last, also what recurs
    core/feeds.py              ... each read once for all hours that name it
    core/shared.py             shared.yaml: named lists, and defaults
    core/making.py             single steps as written -> as planned
    core/layout.py             ... and a plan made of them
    core/leads.py              where steps lead: circles
    core/claims.py             numbers that two owners claim
    core/cautions.py           what is probably not meant
    core/asteriskqueues.py     queues of Asterisk's own that rules name
    core/followupneeds.py      what follow-ups need of the settings
    core/rules.py              text -> RuleSet, or all errors
    core/ruleset.py            RuleSet: the rules of all clients, ready to decide by
    core/tagging.py            the tags that clients have, of their own and shared ones
    core/labels.py             ... and dispositions, in people's words, language by language
    core/spoken.py             every text that callers may hear
    edge/voices.py             programs that speak a text
    edge/prompts.py            texts -> files that Asterisk plays
    edge/languages.py          ... in the languages of contacts, too
    edge/names.py              ... callers' names, while phones ring
    edge/dictation.py          ... or recordings, spoken at a phone
    edge/rulesfile.py          the files they are in
    edge/revision.py           ... as they were at a git revision
    edge/reload.py             read again while calls are in flight
    edge/feedcopies.py         last good copies of calendars of the web
    edge/feeds.py              ... and how they come

The call
    core/events.py             what happened to a call
    core/commands.py           what the call machine wants done
    core/call.py               the state of one call
    core/machine.py            the call machine: step(call, event, now) -> (call, commands)
    core/deadman.py            ... while a caller waits: dead-man timers, set anew and lifted
    core/failing.py            ... when a command failed
    core/retelling.py          ... after a gap: what Asterisk is told again
    core/ending.py             ... how a call ends
    core/talks.py              the talks of one call, and who was on hold in them
    core/observe.py            what an event says of the legs, in every state
    core/steps/say.py          a prompt
    core/steps/question.py     what all share that ask for keys
    core/steps/ask.py          a menu, a challenge: the caller presses a key
    core/steps/message.py      a message, or a number at which to be called back
    core/returning.py          ... whether somebody can be called back there, and by which call
    core/steps/directory.py    somebody is looked for, and chosen
    core/finding.py            ... whom that finds, and what that person's own treatment is now
    core/steps/transfer.py     who talks with the caller gives the call to somebody else
    core/transferring.py       ... and whom that may be, by the rules
    edge/transfers.py          ... as Asterisk tells it
    core/answers.py            what the rules answer at once to a call that asks
    core/steps/offering.py     what all share that ring phones
    core/steps/ring.py         phones ring, round after round
    core/steps/queue.py        the caller waits for an agent
    core/steps/callback.py     ... or is called back when one is free
    core/steps/asteriskqueue.py    ... or in a queue of Asterisk's own
    core/agents.py             what each agent does
    core/waiting.py            who waits
    core/acd.py                who is rung for which caller who waits
    core/steps/tag.py          the rules tag the call
    core/tags.py               what they, and people, say came of a call
    core/featurecodes.py       agents come and go, and say that, by keys of their phones
    core/keyedin.py            ... which is written down as calls, and is none
    edge/queues.py             ... and how callers hear of it
    edge/phones.py             ... and whether a phone is in use
    edge/agentlog.py           ... and how agents' changes are kept
    edge/queueviews.py         ... as it is shown
    edge/liveviews.py          ... and live calls
    edge/queuemetrics.py       ... and counted
    edge/queuewire.py          Asterisk's words on its own queues <-> the call machine's words
    edge/amilink.py            what is given to the connection to AMI
    edge/ami.py                AMI, over which Asterisk tells of them
    edge/following.py          ... and what that means for the callers there
    core/supervision.py        somebody hears an agent's talk, whispers, or barges in: states and words
    core/supervising.py        ... its machine
    core/supervisors.py        ... who may, and whose
    edge/ari/snooping.py       ... Asterisk's words for it
    edge/supervision.py        ... and all who do
    core/disposition.py        evidence -> what became of each leg and of the call
    core/record.py             what is written down of a call
    core/corrections.py        ... and what somebody says became of it after all
    core/notices.py            ... and what other systems are told of it
    core/visits.py             the queues that its caller came to
    core/followups.py          ... what is to be done after it
    core/reconcile.py          after a gap: what Asterisk shows -> the events we missed
    edge/recovery.py           ... and the reads behind it
    edge/reconciliation.py     ... and what is done then, and after a restart

Without a call
    core/cast.py               what everybody does in a call that nobody places
    core/rehearsal.py          a plan lived through by the call machine, with phones that do as they are told
    core/scenarios.py          a call that nobody places, and the administrators' tests made of such
    core/show.py               the tree a caller meets, in words
    core/calendar.py           what applies when
    core/reach.py              who can ring whom
    core/regions.py            which numbers are which country's, where a calling code is shared
    core/cells.py              numbers cut by patterns, and ranges of numbers
    core/ways.py               ways through a plan, and what phones do so that a call goes there
    core/space.py              all calls there can be, cut into kinds that rules treat alike
    core/proof.py              what holds of all calls there can be
    core/idle.py               block rules that no call meets, and why
    core/counterexamples.py    calls of which it does not hold, as tests
    core/difference.py         what differs between two rule sets, for which calls
    core/followupchanges.py    ... and what is done otherwise after them

Is all well with the PBX and the set-up?
    core/findings.py           what is found, and how bad it is
    core/needs.py              what rules need of Asterisk
    core/asteriskdialplan.py   Asterisk's own dialplan, and where in it a number leads
    core/hook.py               ... and whether every client's numbers lead to us
    edge/doctor/visit.py       what checks are given, and ways to ask
    edge/doctor/console.py     ... Asterisk's console
    edge/doctor/listening.py   ... who listens on this machine
    edge/doctor/checks.py      all checks, side by side
    edge/doctor/daemon.py      versions, and the router itself
    edge/doctor/rules.py       the rules, counted
    edge/doctor/access.py      ARI, AMI, and who else can reach them
    edge/doctor/modules.py     modules
    edge/doctor/dialplan.py    the way from a number to us, and break-glass
    edge/doctor/phones.py      the trunk and the phones
    edge/doctor/sounds.py      prompts, Asterisk's own sounds, and where it records
    edge/doctor/queues.py      queues of Asterisk's own, and AMI's rights
    edge/doctor/clocks.py      clocks and zones
    edge/doctor/keeping.py     database and disks
    edge/doctor/deliveries.py  mail and webhooks
    edge/doctor/broker.py      the MQTT broker

For those who write rules
    core/jsonschema.py         the documents as JSON Schema, for editors
    core/reference.py          the reference page, from the JSON Schema

What is kept and shown
    edge/store/tables.py       the tables
    edge/store/migrations/env.py                    alembic, run from the package
    edge/store/migrations/versions/v0001_calls.py   the first schema
    edge/store/migrations/versions/v0002_verdicts.py   ... and what is decided of numbers
    edge/store/migrations/versions/v0003_messages.py   ... and messages
    edge/store/migrations/versions/v0004_agents.py     ... and what agents do
    edge/store/migrations/versions/v0005_tags.py       ... and tags
    edge/store/migrations/versions/v0006_talks.py      ... and the talks of calls, one by one
    edge/store/migrations/versions/v0007_supervisions.py   ... and who supervised them
    edge/store/migrations/versions/v0008_outbox.py     ... and what other systems are told
    edge/store/migrations/versions/v0009_contacts.py   ... and contacts
    edge/store/migrations/versions/v0010_tags.py       ... and where tags are from, and corrections
    edge/store/migrations/versions/v0011_follow_ups.py   ... and what is to be done after calls
    edge/store/migrations/versions/v0012_decisions.py  ... and what dialplans were told
    edge/store/migrations/versions/v0013_wrap_ups.py   ... and how long agents were left alone
    edge/store/database.py     connections, upgrades, who may write
    edge/store/errors.py       what can be wrong with a database
    edge/store/operations.py   what the call path hands over
    edge/store/bulk.py         ... many rows at once
    edge/store/unwritten.py    what is kept in files while the router is stopped
    edge/store/writer.py       the writer thread: group commit
    edge/store/queries.py      reads, for the command line and for recovery
    core/counted.py            a call as reports count it
    core/report.py             calls in, figures out
    edge/store/reporting.py    ... and the calls, a page at a time
    edge/store/verdicts.py     what is decided of numbers by command
    edge/store/agents.py       when agents come and go
    edge/store/supervisions.py   who supervised which talk
    edge/store/tags.py         tags and corrections that people give by command
    edge/store/outbox.py       what other systems are told
    edge/bell.py               ... rung when there is more of it
    edge/mqttlink.py           what is given to the connection to an MQTT broker
    edge/mqttwords.py          ... what is said there, and where
    edge/mqtt.py               ... and how: what other systems are told, and how things stand
    edge/remote.py             what other systems may have the router do
    edge/pace.py               ... at which pace, since calls come first
    edge/outboxmetrics.py      how notices leave the outbox, for Prometheus
    edge/forgetting.py         ... and are removed
    edge/noticefeed.py         ... and are told to whoever listens, as they are written
    edge/store/contacts.py     contacts
    edge/store/messages.py     messages that callers left
    edge/store/followups.py    what is to be done after calls, written with their ends
    edge/store/jobs.py         ... what of it is to be sent
    edge/store/obligations.py  ... and whom somebody is to call back
    edge/store/donotcontact.py   ... and whom nobody is to call
    edge/sparing.py            ... as the router minds them
    edge/store/marks.py        whether commands have written of numbers
    edge/renewal.py            ... while another router was told, and read again then
    edge/dispatch.py           ... sent until it is taken, or given up
    edge/followupmetrics.py    ... and counted
    edge/postbox.py            ... fetched from Asterisk, and delivered until taken
    edge/wav.py                recordings as they are written
    edge/letters.py            a message in words
    edge/mail.py               ... sent
    edge/webhook.py            ... posted
    edge/undelivered.py        ... and not taken
    edge/store/backup.py       copies of the database while it is in use
    edge/backup.py             ... with what else is kept
    edge/metrics.py            Prometheus
    edge/logs.py               structured logs
    edge/web/health.py         /metrics, /healthz, /readyz
    edge/notify.py             what systemd is told

For other programs, over HTTP
    core/access.py             tokens and roles
    edge/store/migrations/versions/v0014_tokens.py     ... in the database
    edge/store/tokens.py       ... made and revoked
    edge/tokens.py             ... as the running router knows them
    edge/records.py            what is written down, asked off the event loop
    edge/web/api/figures.py    what the API was asked, for Prometheus
    edge/web/api/powers.py     what the API may ask of the router
    edge/web/api/problems.py   what it refuses, and how
    edge/web/api/routes.py     the form of all resources: a table of routes
    edge/web/api/reading.py    requests, read against it
    edge/web/api/wording.py    ... and what is wrong with them, in words
    edge/web/api/fielddocs.py  what fields mean, from the source
    edge/web/api/openapi.py    the OpenAPI document, made from it
    edge/web/api/calls.py      calls that are written down
    edge/web/api/tags.py       what people say came of them
    edge/web/api/live.py       calls that are not over
    edge/web/api/queues.py     queues
    edge/web/api/agents.py     agents, who come and go
    edge/web/api/messages.py   messages
    edge/web/api/obligations.py   who is to call whom back
    edge/web/api/contacts.py   whom clients know by number
    edge/web/api/donotcontact.py   numbers that nobody is to call
    edge/web/api/typed.py      numbers and lengths of time, as requests have them
    edge/web/api/numbers.py    what is decided of single numbers
    edge/web/api/explain.py    calls that nobody places
    edge/web/api/rules.py      the rules in use
    edge/web/api/events.py     what happens, as it happens
    edge/web/api/resources.py  all of them
    edge/web/api/serving.py    who may ask, and how that is answered

The program
    settings.py                the daemon's settings
    settingsfile.py            the file and the environment they are in
    app.py                     builds all objects, runs, drains, reloads
    cli/main.py                the commands
    cli/run.py                 callrouter run
    cli/check.py               callrouter check
    cli/prompts.py             callrouter prompts
    cli/scenarios.py           callrouter test
    cli/explain.py             callrouter explain
    cli/show.py                callrouter show
    cli/calendar.py            ... its calendar, as a table and as a page
    cli/diff.py                callrouter diff
    cli/reload.py              callrouter reload
    cli/block.py               callrouter block, allow, unblock, blocked
    cli/contacts.py            callrouter contacts
    cli/addressbook.py         ... what its commands share
    cli/contacttables.py       ... its tables, in and out
    cli/known.py               what the rules say of numbers and clients that are typed
    cli/daemon.py              ... and the running router told of it
    cli/calls.py               callrouter calls
    cli/call.py                callrouter call
    cli/tags.py                callrouter tag, tags, correct
    cli/labels.py              ... and --language, for all that list calls
    cli/report.py              callrouter report
    cli/reportforms.py         ... as tables, CSV and JSON
    cli/charts.py              ... columns and bars
    cli/reportpage.py          ... and as a page with them
    cli/messages.py            callrouter messages
    cli/todo.py                callrouter todo
    cli/dnc.py                 callrouter dnc
    cli/outbox.py              callrouter outbox
    cli/queues.py              callrouter queues, agents
    cli/audit.py               callrouter agents audit
    cli/backup.py              callrouter backup
    cli/token.py               callrouter token
    cli/openapi.py             callrouter openapi
    cli/schema.py              callrouter schema
    cli/settings.py            callrouter settings
    cli/doctor.py              callrouter doctor
    cli/options.py             options that commands share, and the way to settings and rules
    cli/records.py             ... and to the records
    cli/words.py               events, causes and times in people's words
"""
