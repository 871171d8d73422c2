# ruff: noqa: RUF001
"""Words and sentences in several scripts, made from syllables so that they neither repeat nor pack too well."""

from functools import cache
from random import Random

_SYLLABLES = {
    "en": "ber con dra el fin gor hal in jun ker lor mas nor op per qui ras sol ter un vel wen xi yor zan",
    "fr": "dé rê çon œu gè là où né prê sû tî vé chau leu moi nou pê rou sè tou",
    "pt-BR": "ção não lã pê rí são tú vô ga lho nha que rra sí xé zê mão",
    "ru": "во го да ет ён жи за ий ко ле мо не об по ры ст ть уж фа хо ца че шу щё эт юн яр",
    "ar": "ال بي تر ثم جد حر خص دو رس زم سل شر صن ضو طي عق غر فن قد كت لم مس نو هد وا",
    "zh-Hans": "的 一 是 不 了 人 我 在 有 他 这 中 大 来 上 国 个 到 说 们 为 子 和 你 地 出 道 也 时 年 得 就 那 要",
    # Decomposed: letters followed by combining marks.
    "vi": "e\u0302\u0301 o\u031b\u0300 a\u0306\u0309 u\u031b\u0323 ng tr i\u0303 y\u0301 ch nh kh a\u0302\u0301",
}
LANGUAGES = tuple(_SYLLABLES)
_EMOJI = ("🌍", "👩🏽‍💻", "🏳️‍🌈", "🧾", "🇯🇵", "✨")
_WORDS = 4096


@cache
def words(language: str) -> tuple[str, ...]:
    """The language's whole vocabulary; the same in every run, whatever the seed."""
    random, syllables = Random(f"words:{language}"), _SYLLABLES[language].split()
    return tuple("".join(random.choices(syllables, k=random.randint(1, 4))) for _ in range(_WORDS))


def title(language: str, random: Random) -> str:
    name = " ".join(random.choices(words(language), k=random.randint(3, 8)))
    return f"{name} {random.choice(_EMOJI)}" if random.random() < 0.1 else name


def body(language: str, random: Random, length: int) -> str:
    """Paragraphs of sixty words, `length` words in all; every seventh begins with an emoji."""
    vocabulary = words(language)
    paragraphs = []
    for first in range(0, length, 60):
        text = " ".join(random.choices(vocabulary, k=min(60, length - first)))
        paragraphs.append(f"{_EMOJI[first % 6]} {text}." if first % 7 == 0 else f"{text}.")
    return "\n\n".join(paragraphs)


# Text that a careless loader breaks: COPY's own escapes, quotes, markup, direction marks, a zero-width joiner.
AWKWARD = (
    "\\N",
    "a\tb\\t\r\nc",
    'it\'s "quoted" \\ and $$dollared$$',
    "<script>alert(1)</script>",
    "\u202bעברית עם english\u202c",
    "n\u0303 is not ñ",
    "",
)
