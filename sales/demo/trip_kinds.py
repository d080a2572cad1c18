"""The kinds of trips that people charter buses for."""

from dataclasses import dataclass

from sales.models import Lead

TripType, VehicleType = Lead.TripType, Lead.VehicleType
ALL_YEAR = tuple(range(1, 13))
FRIDAY, SATURDAY = 4, 5
WEEKDAYS, WEEKEND, ANY_DAY = (0, 1, 2, 3, 4), (5, 6), tuple(range(7))


@dataclass(frozen=True)
class TripKind:
    """A kind of trip: who asks, for how many people, where to, when, and how long before."""

    companies: tuple[str, ...]  # empty: private people
    domain: str
    weight: int
    passengers: tuple[int, int]
    vehicle: Lead.VehicleType
    trip_type: Lead.TripType
    destinations: tuple[str, ...]
    days_ahead: tuple[int, int]  # days between inquiry and trip
    notes: tuple[str, ...]
    trip_days: tuple[int, int] = (1, 1)
    months: tuple[int, ...] = ALL_YEAR
    weekdays: tuple[int, ...] = ANY_DAY
    start_hour: int = 8
    last_day_hours: int = 9  # on the last day
    win_rate: float = 0.42
    is_airport: bool = False
    campaign: str = ""  # the campaign for such trips


TRIP_KINDS = (
    TripKind(
        ("{town} High School Band", "{town} Regional Marching Band"),
        "org",
        10,
        (58, 150),
        VehicleType.MOTORCOACH,
        TripType.MULTI_DAY,
        ("Washington, DC", "Philadelphia, PA", "Virginia Beach, VA", "Montréal, QC"),
        (90, 240),
        ("Space for instruments under the floor, and a truck dock at the hotel.", "Chaperones sit in every coach."),
        trip_days=(2, 4),
        months=(3, 4, 5, 6, 10, 11),
        weekdays=(3, 4),
        start_hour=6,
        win_rate=0.48,
        campaign="school trips",
    ),
    TripKind(
        ("{town} Elementary School", "{town} Middle School", "{town} Charter School"),
        "org",
        12,
        (44, 132),
        VehicleType.SCHOOL_BUS,
        TripType.ROUND_TRIP,
        ("the Museum of Science, Boston, MA", "Mystic Aquarium, CT", "the Natural History Museum, New York, NY"),
        (25, 120),
        ("Must be back for dismissal at 14:45.", "Two pupils use wheelchairs.", "Bag lunches will be eaten on board."),
        months=(1, 2, 3, 4, 5, 6, 9, 10, 11, 12),
        weekdays=WEEKDAYS,
        last_day_hours=6,
        campaign="school trips",
    ),
    TripKind(
        ("St. Mary's Church, {town}", "First Baptist Church of {town}", "{town} Community Church"),
        "org",
        10,
        (24, 58),
        VehicleType.MOTORCOACH,
        TripType.MULTI_DAY,
        ("Lake George, NY", "the White Mountains, NH", "Cape Cod, MA", "Ocean Grove, NJ"),
        (40, 200),
        ("Youth retreat; one driver room included, please.", "Several seniors need a step stool."),
        trip_days=(2, 3),
        weekdays=(FRIDAY,),
        start_hour=15,
        campaign="church groups",
    ),
    TripKind(
        (),
        "net",
        13,
        (28, 120),
        VehicleType.MINIBUS,
        TripType.SHUTTLE,
        ("the Castle Hill estate, Ipswich, MA", "a vineyard in Newport, RI", "a barn venue in Woodstock, VT"),
        (60, 300),
        ("Wedding shuttle from two hotels, last run at midnight.", "Guests only; the couple has a car."),
        months=(4, 5, 6, 7, 8, 9, 10),
        weekdays=(SATURDAY,),
        start_hour=14,
        win_rate=0.38,
        campaign="weddings",
    ),
    TripKind(
        ("{last} & Partners", "{last} Biosciences", "{town} Software", "{last} Insurance Group"),
        "com",
        10,
        (18, 96),
        VehicleType.MOTORCOACH,
        TripType.ROUND_TRIP,
        ("an off-site in Stowe, VT", "a team day at Mohonk, NY", "a conference in Providence, RI"),
        (14, 90),
        ("Wi-Fi and power at the seats are a must.", "Invoice with purchase order, thirty days."),
        trip_days=(1, 2),
        weekdays=WEEKDAYS,
    ),
    TripKind(
        ("{town} State Women's Soccer", "{town} College Lacrosse", "{town} State Hockey"),
        "org",
        9,
        (27, 44),
        VehicleType.MOTORCOACH,
        TripType.MULTI_DAY,
        ("Orono, ME", "Ithaca, NY", "State College, PA", "Burlington, VT"),
        (20, 110),
        ("Gear bags fill a bay.", "Meal stop on the way back after the game."),
        trip_days=(1, 2),
        weekdays=(FRIDAY, SATURDAY),
        win_rate=0.5,
    ),
    TripKind(
        ("{town} Senior Center", "{town} Retirement Community"),
        "org",
        9,
        (32, 56),
        VehicleType.MOTORCOACH,
        TripType.ROUND_TRIP,
        ("the casino in Atlantic City, NJ", "the casino in Uncasville, CT", "the casino in Springfield, MA"),
        (20, 75),
        ("Casino day; easy steps and a restroom on board.", "Lift-equipped coach preferred."),
        weekdays=(1, 2, 3),
        win_rate=0.55,
    ),
    TripKind(
        ("Harbor Hotel {town}", "{last} Consulting", "{town} Medical Group"),
        "com",
        11,
        (4, 24),
        VehicleType.VAN,
        TripType.ONE_WAY,
        ("Logan Airport, Boston, MA", "Newark Airport, NJ", "Bradley Airport, CT"),
        (5, 45),
        ("Flight numbers to follow; the driver waits at arrivals with a sign.", "Early departure at 04:30."),
        start_hour=5,
        win_rate=0.5,
        is_airport=True,
    ),
    TripKind(
        ("{town} Folk Festival", "{town} Food & Wine Weekend", "{town} Jazz Days"),
        "org",
        5,
        (150, 520),
        VehicleType.SCHOOL_BUS,
        TripType.SHUTTLE,
        ("the festival grounds", "the harbor car park", "the fairground"),
        (60, 210),
        ("Shuttle between car park and grounds every ten minutes.", "Police will hold the left lane for us."),
        trip_days=(1, 2),
        months=(5, 6, 7, 8, 9),
        weekdays=(SATURDAY,),
        start_hour=10,
    ),
    TripKind(
        (),
        "net",
        6,
        (16, 54),
        VehicleType.MINIBUS,
        TripType.ROUND_TRIP,
        ("Old Orchard Beach, ME", "Hersheypark, PA", "Jones Beach, NY"),
        (30, 150),
        ("Family reunion, four generations, two car seats.", "Cooler and folding chairs travel with us."),
        months=(5, 6, 7, 8, 9),
        weekdays=WEEKEND,
        win_rate=0.36,
        campaign="family reunions",
    ),
    TripKind(
        ("Northeast Travel Agents Guild", "{town} Dental Society", "Northeast Library Association"),
        "org",
        4,
        (90, 260),
        VehicleType.MOTORCOACH,
        TripType.SHUTTLE,
        ("the convention center, Hartford, CT", "the convention center, Boston, MA"),
        (60, 200),
        ("Convention shuttle, three hotels, both rush hours.",),
        trip_days=(2, 3),
        weekdays=(1, 2, 3),
    ),
    TripKind(
        (),
        "net",
        6,
        (10, 26),
        VehicleType.MINIBUS,
        TripType.ROUND_TRIP,
        ("the Finger Lakes wineries, NY", "the breweries of Portland, ME", "the Hudson Valley orchards, NY"),
        (12, 70),
        ("Birthday outing, pick-up and return at the same door.", "We would like to bring our own music."),
        weekdays=WEEKEND,
        start_hour=11,
        last_day_hours=8,
        win_rate=0.34,
    ),
    TripKind(
        ("{town} Little League", "{town} Swim Club", "{town} Youth Hockey"),
        "org",
        6,
        (22, 52),
        VehicleType.SCHOOL_BUS,
        TripType.ROUND_TRIP,
        ("Williamsport, PA", "Lake Placid, NY", "Springfield, MA"),
        (15, 80),
        ("Parents follow by car.", "Departure depends on the draw; date may move by a day."),
        weekdays=(FRIDAY, SATURDAY),
        start_hour=7,
    ),
    TripKind(
        ("{town} Historical Society", "{town} Garden Club"),
        "org",
        5,
        (20, 48),
        VehicleType.MINIBUS,
        TripType.ROUND_TRIP,
        ("the mansions of Newport, RI", "Sturbridge Village, MA", "the gardens at Kennett Square, PA"),
        (30, 120),
        ("Museum day with a guided tour at eleven.", "Average age is over seventy; no long walks."),
        months=(4, 5, 6, 9, 10, 12),
        weekdays=WEEKDAYS,
    ),
)
BAND_TRIP, OFFSITE, CONVENTION = TRIP_KINDS[0], TRIP_KINDS[4], TRIP_KINDS[10]
