"""The tables that database tasks are about, and rows for them.

One line a table: `name | what a row is | columns`. A column is a name and a kind: `id FIRST` (numbers from
FIRST), `ref TABLE` (a key of that table), `int LOW HIGH`, `real LOW HIGH`, `year`, `date`, `person`, or
`pick A/B/...`. Column names differ between a table and the table it refers to, key apart, so that a join
needs no prefixes.
"""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass

from .sqlite import SQLRow, Table, Value

_TABLES = """
clients | client | client_id id 1, client_name person, credit_limit int 500 9000, city pick Oslo/Lima/Cairo/Paris/Delhi, segment pick retail/business/public, join_date date
staff | employee | employee_id id 201, full_name person, department pick Sales/Finance/Support/Research, salary int 2400 7900, hire_date date
suppliers | supplier | supplier_id id 31, supplier_name pick Norvik/Altamar/Brightco/Kestrel/Ostara/Fenwick/Dunmore/Halden, country pick Norway/Spain/Chile/Japan, rating int 1 5, contract_year year
teachers | teacher | teacher_id id 51, teacher_name person, subject pick Maths/History/Physics/Art, experience_years int 1 35, hourly_pay real 18 65
doctors | doctor | doctor_id id 71, doctor_name person, specialty pick Cardiology/Surgery/Pediatrics/Radiology, years_employed int 1 35, ward pick A/B/C
orders | order | order_id id 1001, client_id ref clients, product pick laptop/phone/desk/chair/lamp, quantity int 1 40, total_price real 15 2400, order_date date, status pick pending/shipped/delivered/cancelled
expenses | expense | expense_id id 401, employee_id ref staff, category pick travel/meals/software/training, amount real 12 980, expense_date date, approved pick yes/no
shipments | shipment | shipment_id id 9001, supplier_id ref suppliers, warehouse pick North/South/East/West, weight_kg real 2 850, ship_date date, condition pick intact/damaged/missing
lessons | lesson | lesson_id id 301, teacher_id ref teachers, room pick R1/R2/R3/R4, students int 4 35, lesson_date date, duration int 30 180
appointments | appointment | appointment_id id 501, doctor_id ref doctors, patient person, visit_date date, fee int 40 420, outcome pick treated/referred/admitted
loans | loan | loan_id id 1, branch pick Harbour/Central/Airport/Market, borrower person, principal int 1000 90000, interest_rate real 1.5 9.5, start_year year, state pick open/repaid/defaulted
flights | flight | flight_id id 700, airline pick Skylark/Aerona/Zephyr/Polaris, origin pick Rome/Quito/Seoul/Lagos, delay_minutes int 0 240, passengers int 40 320, departure_date date
hotel_rooms | room | room_number id 101, hotel pick Plaza/Seaview/Alpine, room_type pick single/double/suite, nightly_rate int 55 480, floor int 1 9, available pick yes/no
books | book | book_id id 1, title pick Embers/Tidewater/Northbound/Hollow/Saltmarsh/Meridian/Afterglow/Wintering/Lanterns/Driftwood, author person, genre pick crime/poetry/history/fantasy, pages int 80 900, published year
library_loans | library loan | loan_number id 61, member person, book_title pick Embers/Tidewater/Northbound/Hollow/Meridian, loan_date date, days_late int 0 60, fine real 0 25
movies | movie | movie_id id 1, movie_title pick Orbit/Cascade/Vertigo Bay/Red Harvest/Silent Pines/Afterlight/Blue Canyon/Zero Hour/Nightfall/Glass City, director person, genre pick drama/comedy/thriller/western, runtime int 75 190, box_office int 120 9800
concerts | concert | concert_id id 20, artist pick Juno/Marlow/The Pikes/Velvet Sun, venue pick Arena/Opera House/Club 9, tickets_sold int 120 9000, ticket_price int 15 140, concert_date date
players | player | player_id id 10, player_name person, team pick Falcons/Bears/Comets/Sharks, position pick guard/forward/center, goals int 0 60, salary_thousands int 40 900
matches | match | match_id id 1, home_team pick Falcons/Bears/Comets/Sharks, stadium pick Riverside/Hilltop/Dockland, attendance int 900 48000, goals_scored int 0 9, match_date date
gym_members | member | member_id id 801, member_name person, plan pick basic/plus/premium, monthly_fee int 19 95, visits int 0 60, expiry_date date
inventory | item | item_id id 1, item_name pick bolts/cables/filters/gloves/hinges/pumps/sensors/valves, aisle pick A1/A2/B1/B2, stock int 0 900, unit_cost real 0.5 80, check_date date
machines | machine | machine_id id 40, model pick MX10/MX20/RT5/RT9, plant pick Leeds/Turin/Osaka, hours_run int 100 9900, last_service date, status pick running/idle/broken
sensors | reading | reading_id id 1, station pick Ridge/Valley/Coast/Summit, temperature real -12 41, humidity int 10 99, wind_speed real 0 30, reading_date date
crops | harvest | harvest_id id 1, field pick Upper/Lower/Mill/Creek, crop pick wheat/barley/maize/beans, tonnes real 1 95, price_per_ton int 90 420, season year
vehicles | vehicle | vehicle_id id 300, brand pick Volta/Ranger/Celeste/Titan, fuel pick diesel/petrol/electric, mileage int 500 180000, daily_rate int 25 190, built year
repairs | repair | repair_id id 1, workshop pick Main St/Dock Rd/Elm Ave, mechanic person, part pick brakes/engine/tires/battery, cost real 20 1900, repair_date date
taxes | tax record | record_id id 1, taxpayer person, tax_year year, amount_owed int 100 9500, amount_paid int 0 9000, filing_status pick filed/late/missing
donations | donation | donation_id id 1, donor person, campaign pick Schools/Wells/Forests/Shelter, amount int 5 2500, donation_date date, method pick card/cash/transfer
tickets | ticket | ticket_id id 5001, requester person, priority pick low/medium/high/urgent, team pick network/billing/accounts, hours_open int 1 400, opening_date date, state pick open/waiting/closed
projects | project | project_id id 1, project_name pick Atlas/Beacon/Cobalt/Delta/Echo/Falcon/Garnet/Helix/Indigo/Juniper, manager person, budget int 2000 95000, progress int 0 100, deadline date, phase pick design/build/test/done
songs | song | song_id id 1, song_title pick Amber/Breeze/Cinder/Dune/Ember Road/Fathom/Glow/Haze/Ivory/Jade, performer pick Juno/Marlow/Velvet Sun, plays int 100 99000, length_seconds int 95 480, released year
properties | property | property_id id 1, district pick Harbour/Old Town/Hillside/Garden, kind pick flat/house/studio, price_thousands int 90 1400, area real 22 310, bedrooms int 1 6, listing_date date
animals | animal | animal_id id 1, species pick otter/lynx/heron/tapir/gecko, enclosure pick E1/E2/E3, weight real 0.2 90, age int 1 22, arrival_date date, health_status pick good/fair/poor
exams | exam result | result_id id 1, student person, course pick algebra/biology/ethics/statistics, score int 20 100, attempts int 1 4, exam_date date
recipes | recipe | recipe_id id 1, dish pick ramen/paella/pierogi/laksa/goulash/tagine/risotto/moussaka, cuisine pick Asian/European/African, minutes int 10 180, servings int 1 8, calories int 120 1100
museum_visits | visit | visit_id id 1, museum pick Science/Maritime/Modern Art, visitor_type pick adult/child/senior/student, entry_fee int 0 30, minutes_stayed int 15 240, visit_date date
phone_calls | call | call_id id 1, caller person, call_type pick incoming/outgoing/missed, seconds int 5 3600, charge real 0 18, call_date date, region pick north/south/east/west
insurance_claims | claim | claim_id id 90, holder person, policy pick home/auto/travel/health, claimed int 100 20000, paid_out int 0 18000, filing_date date, decision pick approved/denied/review
elections | vote count | count_id id 1, candidate pick Ferro/Lindgren/Osei/Tanaka, precinct pick P1/P2/P3/P4, votes int 20 5400, turnout real 30 95, election_year year
bike_trips | trip | trip_id id 1, station pick Park/Bridge/Campus/Mall, rider_type pick casual/subscriber, minutes int 2 120, distance_km real 0.3 25, trip_date date
"""  # noqa: E501 (one line a table reads better than wrapped ones)

_NAMES = """
Ana Ruiz, Ben Carter, Chloe Dubois, Dan Okafor, Elif Kaya, Farid Haddad, Grace Kim, Hugo Meyer, Ines Costa, Jonas Berg, Kira Novak,
Leo Rossi, Maya Singh, Nils Dahl, Olga Petrova, Pablo Vega, Quinn Walsh, Rosa Lopez, Sam Turner, Tara Shah, Uma Iyer,
Viktor Lind, Wei Chen, Yara Nasser
"""
_PEOPLE = tuple(name.strip() for name in _NAMES.split(","))

_SQL_TYPES = {"id": "INT", "ref": "INT", "int": "INT", "year": "INT", "real": "REAL", "date": "TEXT", "person": "TEXT", "pick": "TEXT"}
_FIRST_DAY = datetime.date(2021, 1, 1)
_DAYS = 4 * 365


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a schema."""

    name: str
    """Identifier."""
    kind: str
    """One of the kinds above."""
    options: tuple[str, ...] = ()
    """What follows the kind: bounds, a table, or the values to pick from."""

    @property
    def grouping(self) -> bool:
        """Whether its values repeat, so that grouping by it makes sense."""
        return self.kind in ("pick", "ref", "year")

    @property
    def measure(self) -> bool:
        """Whether sums and averages of it make sense."""
        return self.kind in ("int", "real")


@dataclass(frozen=True, kw_only=True)
class Schema:
    """A table without rows."""

    name: str
    """Identifier."""
    noun: str
    """What a row is, in the singular."""
    columns: tuple[Column, ...]
    """In order; the first one is the key."""

    @property
    def parent(self) -> Column | None:
        """The column that refers to another table, if any."""
        return next((column for column in self.columns if column.kind == "ref"), None)

    def fill(self, rng: random.Random, keys: tuple[int, ...] = ()) -> Table:
        """The table with 8 to 20 rows; `keys` are the values of the table it refers to."""
        count = rng.randint(8, 20)
        values = [_values(rng, column, count, keys) for column in self.columns]
        rows: list[SQLRow] = list(zip(*values, strict=True))
        rng.shuffle(rows)  # stored by key, rows would come back sorted without being asked to
        return Table(name=self.name, columns=tuple((c.name, _SQL_TYPES[c.kind]) for c in self.columns), rows=tuple(rows))


def _values(rng: random.Random, column: Column, count: int, keys: tuple[int, ...]) -> list[Value]:
    options = column.options
    if column.kind == "id":
        first = int(options[0])
        return list(range(first, first + count))
    if column.kind == "ref":
        few = rng.sample(keys or range(1, 40), 5)
        return [rng.choice(few) for _ in range(count)]
    if column.kind == "person":
        return list(rng.sample(_PEOPLE, count))
    if column.kind == "pick":
        return [rng.choice(options) for _ in range(count)] if len(options) < 8 else [options[i % len(options)] for i in range(count)]
    if column.kind == "date":
        return [(_FIRST_DAY + datetime.timedelta(days=day)).isoformat() for day in sorted(rng.sample(range(_DAYS), count))]
    if column.kind == "year":
        return [rng.randint(2019, 2024) for _ in range(count)]
    low, high = float(options[0]), float(options[1])
    if column.kind == "real":
        return [step / 10 for step in rng.sample(range(int(low * 10), int(high * 10)), count)]
    whole = range(int(low), int(high) + 1)
    step = 10 if len(whole) > 2_000 else 1
    rounded = range(int(low) // step, int(high) // step + 1)
    return [step * value for value in (rng.sample(rounded, count) if len(rounded) > 2 * count else rng.choices(rounded, k=count))]


def _read(line: str) -> Schema:
    name, noun, columns = (part.strip() for part in line.split("|"))
    return Schema(name=name, noun=noun, columns=tuple(_read_column(text.strip()) for text in columns.split(",")))


def _read_column(text: str) -> Column:
    name, kind, *rest = text.split(" ", 2)
    options = tuple("".join(rest).split("/" if kind == "pick" else " ")) if rest else ()
    return Column(name=name, kind=kind, options=options)


SCHEMAS = {schema.name: schema for schema in map(_read, _TABLES.strip().splitlines())}
"""Every schema under its name."""
