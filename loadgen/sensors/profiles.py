"""The profiles that ``--profile`` knows."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from loadgen.sensors.daily import Daily
from loadgen.sensors.profile import Group, Profile, Troubles
from loadgen.sensors.states import States
from loadgen.sensors.steps import Steps
from loadgen.sensors.walk import Walk

# By the hour, from midnight: coldest before sunrise, warmest at three in the afternoon.
WARMTH: Final = (
    *(0.22, 0.18, 0.13, 0.09, 0.04, 0.00, 0.03, 0.12, 0.28, 0.46, 0.63, 0.77),
    *(0.88, 0.95, 0.99, 1.00, 0.95, 0.85, 0.71, 0.58, 0.48, 0.40, 0.33, 0.27),
)
HUMIDITY: Final = tuple(1 - share for share in WARMTH)
DAYLIGHT: Final = (
    *(0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.02, 0.24, 0.48, 0.69, 0.86, 0.96),
    *(1.00, 0.96, 0.86, 0.69, 0.48, 0.24, 0.02, 0.00, 0.00, 0.00, 0.00, 0.00),
)
TRAFFIC: Final = (
    *(0.08, 0.05, 0.03, 0.03, 0.06, 0.20, 0.55, 0.92, 1.00, 0.78, 0.62, 0.60),
    *(0.66, 0.64, 0.60, 0.63, 0.74, 0.95, 0.98, 0.76, 0.50, 0.36, 0.26, 0.15),
)

TEMPERATURE: Final = Daily(WARMTH, low=17, high=31, wander=3, decimals=1)
RELATIVE_HUMIDITY: Final = Daily(HUMIDITY, low=42, high=90, wander=9, decimals=1)
SUNLIGHT: Final = Daily(DAYLIGHT, low=0, high=760, wander=260, decimals=0, shaded=True)  # W/m²
VEHICLES_A_MINUTE: Final = Daily(TRAFFIC, low=2, high=90, wander=12, decimals=0, shaded=True)
NOISE: Final = Daily(TRAFFIC, low=44, high=74, wander=6, decimals=1)  # dB(A)
PRESSURE: Final = Walk(low=870, high=1035, step=0.4, decimals=1)  # hPa
BATTERY: Final = Walk(low=11.2, high=14.4, step=0.05, decimals=2)  # V
RIVER: Final = Walk(low=0, high=12, step=0.09, decimals=2)  # m
SOIL_MOISTURE: Final = Walk(low=8, high=46, step=0.1, decimals=1)  # % of volume
VIBRATION: Final = Walk(low=0.4, high=11, step=0.12, decimals=2)  # mm/s
OVEN: Final = Steps(levels=(25, 180, 420, 650, 850), noise=1.5, readings=300, decimals=1)  # °C
SPEED: Final = Steps(levels=(0, 900, 1450, 1780), noise=4, readings=200, decimals=0)  # turns a minute
TANK: Final = Steps(levels=(4, 22, 47, 71, 96), noise=0.4, readings=240, decimals=1)  # %
DOOR: Final = States(("aberta", "fechada"), readings=30)
PUMP: Final = States(("ligado", "desligado"), readings=120)
ALARM: Final = States(("normal", "atenção", "crítico", "normal"), readings=200)
MACHINE: Final = States(("em operação", "manutenção", "em operação", "sem comunicação"), readings=300)

STEADY: Final = Profile(
    "steady",
    "random walks and a few words; the fastest to make",
    (
        Group(
            5,
            (
                States(("aberta", "fechada"), readings=10),
                States(("ligado", "desligado"), readings=10),
                States(("normal", "atenção", "crítico"), readings=10),
                States(("em operação", "manutenção", "sem comunicação"), readings=10),
            ),
        ),
        Group(
            95,
            (
                Walk(low=-5, high=42, step=0.3, decimals=1),  # temperature, °C
                Walk(low=15, high=100, step=0.8, decimals=1),  # relative humidity, %
                PRESSURE,
                BATTERY,
                RIVER,
            ),
        ),
    ),
    Troubles(empty=0.01),
)

CITY: Final = Profile(
    "city",
    "weather, sunlight, traffic and noise by the hour of the day; doors and alarms; good lines",
    (
        Group(46, (TEMPERATURE, RELATIVE_HUMIDITY)),
        Group(32, (SUNLIGHT, VEHICLES_A_MINUTE, NOISE)),
        Group(14, (PRESSURE, RIVER)),
        Group(8, (DOOR, ALARM)),
    ),
    Troubles(empty=0.005, late=0.002, repeated=0.002, stuck=0.005, silent=0.005),
)

PLANT: Final = Profile(
    "plant",
    "ovens, tanks and motors that change in steps; vibration; machine states; sensors that get stuck",
    (
        Group(56, (OVEN, SPEED, TANK)),
        Group(20, (VIBRATION,)),
        Group(6, (TEMPERATURE,)),
        Group(18, (PUMP, ALARM, MACHINE)),
    ),
    Troubles(empty=0.01, late=0.001, repeated=0.002, stuck=0.03, silent=0.005),
)

FARM: Final = Profile(
    "farm",
    "soil, weather and batteries over poor radio links: late and repeated events, silent sensors",
    (
        Group(26, (SOIL_MOISTURE,)),
        Group(46, (TEMPERATURE, RELATIVE_HUMIDITY, SUNLIGHT)),
        Group(20, (BATTERY, RIVER)),
        Group(8, (TANK, PUMP)),
    ),
    Troubles(empty=0.02, late=0.03, repeated=0.02, stuck=0.01, silent=0.03),
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {profile.name: profile for profile in (STEADY, CITY, PLANT, FARM)}
)
