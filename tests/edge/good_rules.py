"""Rules of two clients that have something of everything, for tests that put one mistake into them."""

FJORD = """\
client: fjord
name: Fjord Legesenter
numbers: ["+47 22 33 44 55", "+47 22 33 44 6x"]
timezone: Europe/Oslo
language: nb
tone: formal

hours:
  office:
    week: {mon-thu: "08:00-15:30", fri: "08:00-12:00"}
    holidays: NO
    dates:
      12-24..12-31: closed
  night: {week: {mon-sun: "20:00-02:00"}}

exceptions:
  - title: Course day
    from: 2027-12-02 12:00
    until: 2027-12-02 15:30
    owner: kari
    say: {file: custom/course}

screening:
  allow: ["+47 22*"]
  block:
    - name: ads
      numbers: [{file: lists/ads.csv, min_votes: 5}, {list: nuisance}]
      until: 2028-03-01
    - name: hammering
      more_than: 5 calls in 10m
      shadow: true
  treatment: busy

people_from: people.csv
people:
  kari:
    name: Kari Nordmann
    extension: 101
    numbers: "+47 22 33 44 61"
    rings: [PJSIP/101, {number: "+47 900 00 001"}]
    hours: office
    do: [{ring: self, for: 15s}, {person: ola}]
  ola: {rings: PJSIP/102}

routes:
  - name: closed
    when: {closed: office, not: {caller: [anonymous, {country: [SE]}]}}
    do: [{say: {file: custom/closed}}, hangup]
  - name: campaign
    when: {between: [2027-12-01, 2027-12-24], variable: {kind: sale}}
    do: {dialplan: {context: fax, extension: 100}}
  - name: desk
    when: {dialled: "+47 22 33 44 60", caller: {attestation: [A]}}
    do: {ring: "+47 900 00 002", for: 30s}
  - name: main
    do:
      - ring: [kari, ola]
        order: in-turn
        for: 20s
        on: {busy: [{goto: desk}]}
      - decline: busy
"""
SUND = """\
client: sund
name: Sund Bil
numbers: "+47 22 33 55 0x"
routes: [{name: main, do: {ring: PJSIP/200}}]
"""
SHARED = """\
defaults:
  timezone: Europe/Oslo
  country: NO
  last_resort: {say: {file: custom/nobody}}
lists:
  nuisance: {numbers: ["815 00 9xx", {file: lists/ads.csv}]}
"""
PEOPLE = """\
id,name,extension,numbers,rings,hours
per,Per Lund,103,+47 22 33 44 63,PJSIP/103,office
"""
ADS = """\
phone,votes
+47 815 00 000,9
"""
FILES: dict[str, str | bytes] = {
    "fjord.yaml": FJORD,
    "sund.yaml": SUND,
    "shared.yaml": SHARED,
    "people.csv": PEOPLE,
    "lists/ads.csv": ADS,
}

Told = list[tuple[str, str, str]]
"""Place, what is wrong, what to write instead."""
Mistake = tuple[str, str, str | None, str | bytes, Told]
"""A name, the file, what is written in it (None for all of it), what is written instead, and what is told."""
