"""The XML documents of ENTSO-E's API: prices (A44) and the acknowledgement that comes in their place."""

from doubles.feeds import truth
from doubles.feeds.europe.market import by_day, text

NAMESPACE = "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3"
FRANCE = "10YFR-RTE------C"


def prices(*series, curve="A03", currency="EUR", unit="MWH", zone="Europe/Paris"):
    """Return a document of series, each an area, a sequence (None: unsaid) and steps; each day is a TimeSeries.

    With the curve A03 a point that repeats the price before it is left out.
    """
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Publication_MarketDocument xmlns="{NAMESPACE}">\n'
        "<revisionNumber>1</revisionNumber><type>A44</type><createdDateTime>2026-01-01T11:24:10Z</createdDateTime>\n"
    )
    parts = [
        _series(area, sequence, day, curve=curve, currency=currency, unit=unit)
        for area, sequence, steps in series
        for day in by_day(steps, zone).values()
    ]
    return "".join([head, *parts, "</Publication_MarketDocument>\n"]).encode()


def _series(area, sequence, steps, *, curve, currency, unit):
    name = "classificationSequence_AttributeInstanceComponent.position"
    auction = f"<{name}>{sequence}</{name}>" if sequence is not None else ""
    points, last = [], None
    for position, step in enumerate(steps, 1):
        if curve == "A01" or step.price != last:
            points.append(
                f"<Point><position>{position}</position><price.amount>{text(step.price)}</price.amount></Point>\n"
            )
        last = step.price
    minutes = (steps[0].end_s - steps[0].start_s) // 60
    return (
        f"<TimeSeries><mRID>1</mRID><businessType>A62</businessType>"
        f'<in_Domain.mRID codingScheme="A01">{area}</in_Domain.mRID>'
        f'<out_Domain.mRID codingScheme="A01">{area}</out_Domain.mRID>'
        f"<currency_Unit.name>{currency}</currency_Unit.name>"
        f"<price_Measure_Unit.name>{unit}</price_Measure_Unit.name>{auction}<curveType>{curve}</curveType>\n"
        f"<Period><timeInterval><start>{_time(steps[0].start_s)}</start><end>{_time(steps[-1].end_s)}</end>"
        f"</timeInterval><resolution>PT{minutes}M</resolution>\n{''.join(points)}</Period></TimeSeries>\n"
    )


def _time(time_s):
    return f"{truth.local('UTC', time_s):%Y-%m-%dT%H:%MZ}"


def acknowledgement(reason="No matching data found for Data item Day-ahead Prices [12.1.D]."):
    """Return the document that the API sends when it has no prices."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">'
        f"<mRID>a</mRID><Reason><code>999</code><text>{reason}</text></Reason></Acknowledgement_MarketDocument>\n"
    ).encode()
