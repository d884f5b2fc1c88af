"""Solutions to 11_look_inside. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 11-a: five halvings, and two sides. A finer map shows the places in more detail; whether the answers get better has to
# be measured, because the pictures have changed, too.
check("11-a", (160 // 2**5) ** 2)

# 11-b: one weight for each map, so average over rows and columns. axis=-1 averages over the maps and keeps the places.
check("11-b", (0, 1))

# 11-c: if the untrained network's map is as bright on the lungs, the map shows where lungs are, not what was learned.
# If it differs, the map depends on learning, which is the least that one may ask. Checklist: wrong answers are
# shown, too; the pictures weren't chosen by hand; the accuracy is measured on patients that the model hasn't seen.
check("11-c", "an untrained network's map")
