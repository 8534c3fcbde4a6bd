"""Where a destination lies, and how far it is from the nodes.

Owns the postal-code look-up. Called when a demand is made, and by sourcing for distances. Invariant: coordinates leave
here rounded to 0.01 degree, about a kilometre, so that no stored destination names a house.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.network.models import PostalCode

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius of the Earth (IUGG)."""

Geocode = Literal["order", "postal_code", "prefix", "none"]


@dataclass(frozen=True, slots=True)
class Location:
    """A place on the map, and where we have it from; none at all when it could not be found."""

    latitude: float | None
    longitude: float | None
    geocode: Geocode


NOWHERE: Final = Location(None, None, "none")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where units go that are shipped, as far as a decision needs it."""

    location: Location
    country: str | None
    postal_code: str | None


UNKNOWN: Final = Destination(NOWHERE, None, None)
"""Of a collection, and of what has no address yet."""


def locate(
    session: Session,
    *,
    country: str | None,
    postal_code: str | None,
    latitude: float | None = None,
    longitude: float | None = None,
) -> Location:
    """Place a destination by the coordinates given, else by its postal code or the longest known prefix of it."""
    if latitude is not None and longitude is not None:
        return Location(round(latitude, 2), round(longitude, 2), "order")
    code = normalised(postal_code or "")
    if not country or not code:
        return NOWHERE
    prefixes = [code[:length] for length in range(1, len(code) + 1)]
    known = session.execute(
        select(PostalCode.postal_code, PostalCode.latitude, PostalCode.longitude).where(
            PostalCode.country == country, PostalCode.postal_code.in_(prefixes)
        )
    ).all()
    if not known:
        return NOWHERE
    best = max(known, key=lambda row: len(row.postal_code))
    geocode: Geocode = "postal_code" if best.postal_code == code else "prefix"
    return Location(round(best.latitude, 2), round(best.longitude, 2), geocode)


def normalised(postal_code: str) -> str:
    """Return a postal code as the table holds it: upper case, without spaces and hyphens."""
    return postal_code.upper().replace(" ", "").replace("-", "")


def distances_km(
    latitude: float, longitude: float, latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the great-circle distances from one place to many (haversine); degrees in, kilometres out."""
    here, there = np.radians(latitude), np.radians(latitudes)
    half_north = (there - here) / 2
    half_east = np.radians(longitudes - longitude) / 2
    chord = np.sin(half_north) ** 2 + np.cos(here) * np.cos(there) * np.sin(half_east) ** 2
    km: NDArray[np.float64] = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
    return km
