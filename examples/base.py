"""The smallest audit: what do models trained on handwritten digits remember, and of which records?

Run it with `python examples/base.py`; it takes less than a minute on two cores.
"""

import vestige

found = vestige.audit("digits")

print(found)  # the five lines that the command prints
for record in found.result.exposure.records:  # the ten most exposed
    rates = f"named by {record.tpr.value:.0%} of models with it, {record.fpr.value:.0%} without it"
    print(f"record {record.sample}, a {record.label}: {rates}, since epoch {record.since_epoch}")
