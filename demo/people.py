"""Invents the customers: names, addresses, mail and telephone of people who do not exist.

Called by `orders`. Its invariant: nothing here can reach a real person. Names are drawn from the most common ones,
streets are of the kind every town has, mail goes to example.com, and telephone numbers begin with a digit that the
country's numbering plan gives to no subscriber (4 in Spain, 5 in Portugal).
"""

import unicodedata
from dataclasses import dataclass
from random import Random

from demo.network import City

FIRST_NAMES = {
    "ES": "María Carmen Lucía Paula Laura Marta Ana Elena Irene Sara Nuria Pilar Rocío Alba Julia Antonio José Manuel "
    "Francisco David Javier Daniel Carlos Pablo Álvaro Sergio Hugo Jordi Iker Xoán Andrés",
    "PT": "Maria Ana Inês Beatriz Mariana Leonor Sofia Catarina Marta Rita João Pedro Tiago Miguel Rui Diogo Nuno Luís "
    "Gonçalo André",
}
LAST_NAMES = {
    "ES": "García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez Hernández Ruiz Díaz "
    "Moreno Muñoz Álvarez Romero Gutiérrez Alonso Navarro Torres Domínguez Ramos Vázquez Serrano Molina Ortega Puig "
    "Soler Etxeberria Castro",
    "PT": "Silva Santos Ferreira Pereira Oliveira Costa Rodrigues Martins Sousa Fernandes Gonçalves Gomes Lopes "
    "Marques Alves Almeida Ribeiro Pinto Carvalho Teixeira",
}
STREETS = {
    "ES": ("Calle del Olivo", "Calle de la Fuente", "Calle Nueva", "Calle del Sol", "Calle de la Paz", "Paseo del Río"),
    "PT": ("Rua da Fonte", "Rua Nova", "Rua do Sol", "Rua das Flores", "Travessa do Forno", "Largo da Igreja"),
}
DIALLING_CODES = {"ES": "+344", "PT": "+3515"}
LANGUAGES = {"ES": "es", "PT": "pt"}
# A home lies within a few kilometres of the centre: 0.012 degrees of latitude are 1.3 km.
SPREAD_DEGREES = 0.012


@dataclass(frozen=True)
class Customer:
    """An invented person, with the city and the place they live at."""

    name: str
    email: str
    phone: str
    language: str
    line1: str
    line2: str | None
    city: City
    latitude: float
    longitude: float


def invent(rng: Random, city: City, number: int) -> Customer:
    """Return customer `number` of the story, who lives in `city`."""
    first = rng.choice(FIRST_NAMES[city.country].split())
    name = " ".join((first, *rng.sample(LAST_NAMES[city.country].split(), 2)))
    return Customer(
        name=name,
        email=f"{_address(name)}.{number}@example.com",
        phone=f"{DIALLING_CODES[city.country]}{rng.randrange(10**8):08d}",
        language="en" if rng.random() < 0.05 else LANGUAGES[city.country],
        line1=f"{rng.choice(STREETS[city.country])} {rng.randint(1, 98)}",
        line2=f"{rng.randint(1, 8)}º {rng.choice('ABCD')}" if rng.random() < 0.6 else None,
        city=city,
        latitude=round(city.latitude + rng.gauss(0, SPREAD_DEGREES), 4),
        longitude=round(city.longitude + rng.gauss(0, SPREAD_DEGREES), 4),
    )


def _address(name: str) -> str:
    """Return first and last name in the letters that every mail server takes."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    first, last, *_ = plain.split()
    return f"{first}.{last}"
