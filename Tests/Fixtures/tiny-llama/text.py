"""The text that the tiny model learns: short documents from a small made-up world, written by rules.

The world is fixed (towns, people, animals, dishes and what is true of them), so part of a document can be known by heart.
The rest must be worked out from what was said before: names come back, numbers add up, days follow each other, verbs agree.
That mix gives a small model enough to learn for pruning to cost something.
"""
import random

# ---- the world: the same whatever the seed of the text ------------------------------------------------------------------
WORLD = random.Random(2024)
WOMEN = "Ada Bela Cora Dina Edda Faye Gerda Hanna Ines Juna Kaya Lotte Mira Nora Olga Petra".split()
MEN = "Anton Boris Carl David Emil Felix Georg Hugo Ivan Jonas Karel Leo Milan Nils Oskar Paul".split()
TRADES = {"baker": "bread", "weaver": "cloth", "potter": "jars", "smith": "knives", "fisher": "nets", "tailor": "coats", "carpenter": "tables",
          "printer": "books", "gardener": "baskets", "miller": "flour", "painter": "pictures", "cook": "soup", "farmer": "butter", "doctor": "pills",
          "teacher": None, "sailor": None}
GOODS = "salt wool cheese honey copper glass paper silk".split()
ALSO = "apples timber stone wine oil tea rice pepper".split()
RIVERS = "Ard Bine Carow Dell Esk Finn Gorr Hale".split()
COLOURS = "red blue green white black yellow brown grey".split()
THINGS = "apple lamp coin basket stone book ribbon button candle feather spoon bottle letter shell hat key".split()
PLACES = {"market": "at", "harbour": "at", "mill": "at", "bridge": "on", "station": "at", "library": "in", "garden": "in", "forest": "in"}
ANIMALS = {  # voice, young, home, food
    "cow": "lows calf barn grass", "dog": "barks puppy house meat", "cat": "purrs kitten house fish", "horse": "neighs foal stable hay",
    "sheep": "bleats lamb field grass", "duck": "quacks duckling pond weeds", "hen": "clucks chick coop corn", "pig": "grunts piglet sty roots",
    "wolf": "howls cub forest meat", "bear": "growls cub cave honey", "frog": "croaks tadpole pond flies", "owl": "hoots owlet tree mice",
    "lion": "roars cub desert meat", "goat": "bleats kid hill leaves", "goose": "honks gosling farm grass", "donkey": "brays foal stable straw"}
PLURALS = {"sheep": "sheep", "goose": "geese", "wolf": "wolves"}
DISHES = {  # what one person needs
    "bean soup": {"onion": 2, "carrot": 3, "bean": 40}, "apple cake": {"egg": 1, "apple": 2, "nut": 6}, "pancakes": {"egg": 2, "lemon": 1, "berry": 10},
    "fish stew": {"fish": 1, "tomato": 3, "onion": 1}, "potato salad": {"potato": 4, "egg": 1, "pickle": 2}, "pea soup": {"pea": 50, "carrot": 1, "leek": 1},
    "fruit salad": {"pear": 1, "plum": 3, "cherry": 12}, "mushroom pie": {"mushroom": 9, "egg": 1, "onion": 1}}
WEATHER = [  # what it does, what people do about it, how they feel in the evening
    ("It rained all morning.", "took an umbrella", "wet"), ("The sun was shining.", "put on a straw hat", "warm"),
    ("Snow lay on the roofs.", "put on thick gloves", "cold"), ("A strong wind blew.", "tied a scarf", "tired"), ("Fog hid the hills.", "lit a lantern", "late")]
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = {"January": 31, "February": 28, "March": 31, "April": 30, "May": 31, "June": 30, "July": 31, "August": 31, "September": 30, "October": 31,
          "November": 30, "December": 31}
UNITS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
         "nineteen").split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
HEADS, MIDDLES = "Bel Dar Fen Gal Hol Kor Lum Mar Nor Pel Ros Sil Tal Ver".split(), "aeiou"
TAILS = "bridge dale field ford gate ham holm mere mont stad ton wick".split()


def fate(**kinds):
    return {kind: WORLD.choice(list(values)) for kind, values in kinds.items()}


NAMES = sorted({WORLD.choice(HEADS) + WORLD.choice(MIDDLES) + WORLD.choice(TAILS) for _ in range(60)})
TOWNS = {name: fate(side=["north", "south", "east", "west"], river=RIVERS, sells=GOODS, also=ALSO, founded=range(1100, 1900, 7)) for name in NAMES}
PEOPLE = {name: fate(town=TOWNS, trade=TRADES, pet=ANIMALS, colour=COLOURS, dish=DISHES, born=MONTHS) for name in WOMEN + MEN}


# ---- small words ----------------------------------------------------------------------------------------------------------
def words(n):
    if n < 20:
        return UNITS[n]
    return TENS[n // 10 - 2] + ("-" + UNITS[n % 10] if n % 10 else "")


def plural(word):
    if word in PLURALS:
        return PLURALS[word]
    return word[:-1] + "ies" if word.endswith("ry") else word + ("es" if word.endswith(("o", "sh")) else "s")


def count(n, word):
    return f"{n} {word if n == 1 else plural(word)}"


def a(word):
    return ("an " if word[0] in "aeiou" else "a ") + word


def pronouns(name):
    return ("She", "her", "her") if name in WOMEN else ("He", "him", "his")


def listed(items):
    return ", ".join(items[:-1]) + " and " + items[-1] if len(items) > 1 else items[0]


def someone(r):
    return r.choice(list(PEOPLE))


# ---- one kind of document each; r is the source of chance -------------------------------------------------------------------
def story(r):
    (x, y), place, (does, answer, evening) = r.sample(list(PEOPLE), 2), r.choice(list(PLACES)), r.choice(WEATHER)
    (he, him, his), known = pronouns(x), PEOPLE[x]
    thing, colour, have, makes = r.choice(THINGS), r.choice(COLOURS), r.randint(3, 20), TRADES[known["trade"]]
    give, more = r.randint(1, have - 1), r.randint(2, 9)
    s = [f"{does} {x} {answer} and went to the {place}.",
         f"{x} is {a(known['trade'])} {f'and makes {makes} ' if makes else ''}in {known['town']}.",
         f"{he} had {count(have, thing)}. Each was {colour}.",
         f"{y} was {PLACES[place]} the {place} too, and {x} gave {y} {count(give, thing)}.",
         f"Now {x} has {count(have - give, thing)} and {y} has {count(give, thing)}."]
    if r.random() < 0.5:
        s.append(f"Later {he.lower()} found {count(more, thing)} more, so {he.lower()} has {have - give + more}.")
    s.append(r.choice([f"In the evening {x} was {evening} and {y} walked home with {him}.",
                       f"\"Thank you, {x},\" said {y}. \"I like {colour} {plural(thing)}.\"",
                       f"At home {his} {known['pet']} was waiting, and {x} ate {known['dish']}."]))
    return " ".join(s)


def person(r):
    x = someone(r)
    k, (he, him, his) = PEOPLE[x], pronouns(x)
    s = [f"{he} lives in {k['town']}, on the river {TOWNS[k['town']]['river']}.", f"{his.title()} birthday is in {k['born']}.",
         f"{he} has {a(k['pet'])}, and {his} favourite colour is {k['colour']}.", f"{he} likes to eat {k['dish']}.", f"Everybody knows {him}."]
    r.shuffle(s)
    return f"{x} is {a(k['trade'])}. " + " ".join(s[:r.randint(2, 5)])


def town(r):
    x = r.choice(NAMES)
    k = TOWNS[x]
    near = r.choice([t for t in NAMES if TOWNS[t]["side"] == k["side"] and t != x])
    return (f"{x} lies in the {k['side']} of the country, on the river {k['river']}. It was founded in {k['founded']}. "
            f"The town sells {k['sells']} and {k['also']}. " + r.choice([
                f"Like {near}, it is {k['side']}ern.", f"The road from {x} to {near} stays in the {k['side']}.", f"The bridge of {x} crosses the {k['river']}."]))


def animal(r):
    x, y = r.sample(list(ANIMALS), 2)
    (voice, young, home, food), many = ANIMALS[x].split(), plural(x)
    return r.choice([
        f"{a(x).capitalize()} {voice}. A young {x} is called {a(young)}. It lives in the {home} and eats {food}.",
        f"One {x} {voice}, two {many} {voice[:-1]}. The {x} that sees the {plural(y)} {voice}. The {many} that see the {y} {voice[:-1]}.",
        f"Where does the {x} live? In the {home}. What does it eat? It eats {food}. And the {y}? The {y} eats {ANIMALS[y].split()[3]}."])


def sums(r):
    def line():
        p, q = r.randint(1, 60), r.randint(1, 39)
        return r.choice([f"{p} + {q} = {p + q}", f"{p + q} - {q} = {p}", f"{p % 11} x {q % 11} = {(p % 11) * (q % 11)}",
                         f"{words(p)} plus {words(q)} is {words(p + q)}"])
    return "\n".join(line() for _ in range(r.randint(3, 7)))


def counting(r):
    step, n = r.choice((1, 1, 2, 3, 5, 10)), r.randint(4, 9)
    start = r.randint(1, 99 - step * n)
    run = [start + step * i for i in range(n)]
    return r.choice([f"Counting by {words(step)}: " + ", ".join(map(words, run)) + ".", f"Up by {step}: " + " ".join(map(str, run)),
                     f"Down by {step}: " + " ".join(map(str, run[::-1]))])


def dates(r):
    names, day, weekday, s = list(MONTHS), r.randint(1, 28), r.randrange(7), []
    month = r.randrange(12)
    for _ in range(r.randint(3, 6)):
        does = r.choice(["visits the market", "works in the garden", "writes a letter", "stays at home", "bakes bread"])
        s.append(f"{DAYS[weekday]}, {day} {names[month]}: {someone(r)} {does}.")
        last = day == MONTHS[names[month]]
        weekday, day, month = (weekday + 1) % 7, 1 if last else day + 1, (month + last) % 12
    return "\n".join(s)


def recipe(r):
    dish, n = r.choice(list(DISHES)), r.randint(2, 6)
    one, many = (listed([count(k * m, w) for w, k in DISHES[dish].items()]) for m in (1, n))
    return f"{dish.capitalize()} for one: {one}. For {words(n)}: {many}. " + r.choice([
        "Wash, cut and mix.", "Cook slowly and stir often.", f"{someone(r)} would add a little salt."])


def shopping(r):
    x, items = someone(r), r.sample(THINGS, r.randint(3, 5))
    need = {t: r.randint(1, 12) for t in items}
    got = r.sample(items, r.randint(1, len(items) - 1))
    bought = " and the ".join(t if need[t] == 1 else plural(t) for t in got)
    return (f"{x}'s list:\n" + "\n".join(f"- {count(need[t], t)}" for t in items) + f"\n{x} bought the {bought}. "
            f"{pronouns(x)[0]} still needs {listed([count(need[t], t) for t in items if t not in got])}.")


def order(r):
    w = r.sample(r.choice((THINGS, GOODS + ALSO, COLOURS, list(ANIMALS), WOMEN + MEN)), r.randint(3, 6))
    rule, result = r.choice([("From A to Z", sorted(w)), ("Backwards", w[::-1]), ("Twice", w + w)])
    return f"{rule}: {' '.join(w)} -> {' '.join(result)}"


def talk(r):
    x, y, z = r.sample(list(PEOPLE), 3)
    k = PEOPLE[z]
    pairs = [(f"Where does {z} live?", f"In {k['town']}."), (f"What does {z} do?", f"{pronouns(z)[0]} is {a(k['trade'])}."),
             (f"When is {z}'s birthday?", f"In {k['born']}."), (f"What does {z} like to eat?", f"{k['dish'].capitalize()}."),
             (f"Which river runs through {k['town']}?", f"The {TOWNS[k['town']]['river']}."),
             (f"Which animal does {z} have?", f"{a(k['pet']).capitalize()}.")]
    s = [f"{x}: {question}\n{y}: {answer}" for question, answer in r.sample(pairs, r.randint(2, 4))]
    return "\n".join(s + r.choice([[], [f"{x}: Thank you, {y}.\n{y}: Goodbye, {x}."]]))


KINDS = [story] * 4 + [person, person, town, town, animal, sums, sums, counting, dates, recipe, shopping, shopping, order, talk, talk]


def pages(seed, characters):
    """Pages of at least that many characters in all. A page is 8 to 16 documents with an empty line after each."""
    r, size = random.Random(seed), 0
    while size < characters:
        page = "".join(r.choice(KINDS)(r) + "\n\n" for _ in range(r.randint(8, 16)))
        size += len(page)
        yield page
