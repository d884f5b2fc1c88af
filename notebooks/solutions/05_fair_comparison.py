"""Solutions to 05_fair_comparison. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets.teaching import check

# 05-a: 0.05 = 2 * sqrt(0.2 / n), so n = 4 * 0.2 / 0.05 ** 2. Half the difference takes four times the pictures, because
# n stands under a root. With 400 pictures it is 4 to 5 points.
check("05-a", 4 * 0.2 / 0.05**2)

# 05-b: line C keeps the best of five for transfer, and scratch gets one try. Fair is the mean of both over the same
# seeds: tl.compare(photographs, repeats=5).
check("05-b", "C")

# 05-c: by child, because the program will read digits of children that it hasn't met; a few seeds; settings chosen by
# the validation pictures. Checklist: same split and number of tries for both; chosen by validation; tested once;
# compared in pairs on the same digits; reported with an interval, and with the number of children in the test.
check("05-c", ("by child", 5, "validation"))
