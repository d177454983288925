"""What models wrote about bees."""

ANGLES = """\
1. **The hour nobody watches.** Begin on the bench by the hive when the last bee is \
in. The reader takes home that rest is work, too.
2. **They sleep in shifts.** Begin with the young bee that does not. The reader takes \
home that nobody told the hive to rest.
3. **Who keeps the door?** Begin at the slit at night, with a torch. The reader takes \
home that a colony is never all asleep."""

OUTLINE = """\
# The hour nobody watches

- The bench, the last bee, the sound that goes on

## What sleeping looks like

- Antennae hang, wings fold, legs give way
- The old ones sleep at night, the young whenever

## Who stays up

- Guards at the slit, fanners, the nurse in the dark

## Why it matters

- A bee that lost a night dances the wrong way"""

DRAFT = """\
# The hour nobody watches

When the last bee is in, most people go home. I stay on the bench, because this is \
the hour when the hive tells you how it is.

It is not silent. It hums, lower than by day, like a fridge in another room. Inside, \
the foragers have begun to sleep. Their antennae sink first, then the wings, and \
some of them fall on their sides, held by a sister's leg.

## They do not sleep together

The old ones sleep at night, as we do. The young ones, who have never seen the sun, \
sleep whenever there is nothing to clean."""

OTHER_DRAFT = """\
# Night shift

Put your ear to a hive after dark. What you hear is not rest but ventilation: some \
hundred bees stand at the slit and fan, and they will stand there until morning.

The others sleep. You can see it at their antennae, which sink, and at their legs, \
which give way. A bee that was kept awake for one night dances the wrong way the \
next day: its sisters fly where no flowers are."""
