"""Where the simulated accounts do business: currency, zone, prices, countries."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Market:
    """``offset`` is the number of minor units in one currency unit (1 for yen); ``order_value`` is in minor
    units.
    """

    currency: str
    zone: str
    offset: int
    order_value: int
    business: str
    countries: tuple[tuple[str, float], ...]
    regions: tuple[tuple[str, float], ...]


MARKETS = (
    Market(
        "BRL",
        "America/Sao_Paulo",
        100,
        18_000,
        "Loja Açaí & Cia",
        (("BR", 0.93), ("PT", 0.05), ("US", 0.02)),
        (
            ("São Paulo (state)", 0.41),
            ("Rio de Janeiro (state)", 0.24),
            ("Minas Gerais", 0.2),
            ("Bahia", 0.15),
        ),
    ),
    Market(
        "USD",
        "America/New_York",
        100,
        7_000,
        "Harbor Outfitters",
        (("US", 0.86), ("CA", 0.1), ("MX", 0.04)),
        (("New York", 0.34), ("California", 0.3), ("Texas", 0.21), ("Florida", 0.15)),
    ),
    Market(
        "JPY",
        "Asia/Tokyo",
        1,
        7_400,
        "青空ストア",
        (("JP", 0.97), ("TW", 0.03)),
        (("Tokyo", 0.46), ("Osaka Prefecture", 0.3), ("Hokkaidō", 0.24)),
    ),
    Market(
        "EUR",
        "Europe/Berlin",
        100,
        6_200,
        "Weißbach Möbel",
        (("DE", 0.72), ("AT", 0.17), ("CH", 0.11)),
        (("Bayern", 0.4), ("Berlin", 0.32), ("Nordrhein-Westfalen", 0.28)),
    ),
    Market(
        "CLP",
        "America/Santiago",
        1,
        45_000,
        "Ñandú Deportes",
        (("CL", 0.95), ("AR", 0.05)),
        (("Santiago Metropolitan Region", 0.7), ("Valparaíso Region", 0.3)),
    ),
    Market(
        "INR",
        "Asia/Kolkata",
        100,
        180_000,
        "Mango & Monsoon",
        (("IN", 0.9), ("AE", 0.1)),
        (("Maharashtra", 0.4), ("Delhi", 0.33), ("Karnataka", 0.27)),
    ),
    Market(
        "AUD",
        "Australia/Sydney",
        100,
        9_900,
        "Southern Cross Surf",
        (("AU", 0.88), ("NZ", 0.12)),
        (("New South Wales", 0.55), ("Victoria", 0.45)),
    ),
    Market(
        "GBP",
        "Europe/London",
        100,
        5_400,
        "Thistle & Thyme",
        (("GB", 0.94), ("IE", 0.06)),
        (("England", 0.83), ("Scotland", 0.17)),
    ),
)

CAMPAIGN_NAMES = (
    "Black Friday – Coleção Verão",
    "Prospecting | Lookalike 1%",
    "🔥 Liquidação relâmpago",
    "Remarketing – carrinho abandonado (últimos 30 dias)",
    "夏のセール 2026",
    "Evergreen – Bestsellers",
    "Lançamento 'Açaí & Maçã' \"edição limitada\"",
    "Advantage+ Shopping 🛒",
    "Volta às aulas — promoção de mochilas, cadernos, estojos, lancheiras e uniformes para todas as idades, "
    "com frete grátis acima de R$ 199 e troca garantida em trinta dias; público frio, otimização para "
    "compras, criativos de A a F",
    "Teste A/B\tcriativo; preço=99,90",
    "Fidelização | clientes VIP 💎",
    "Catalog Sales – Größe & Stil",
)
