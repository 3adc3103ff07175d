"""The smallest audit: what do models trained on handwritten digits remember, and of which records?

Run it with `python examples/base.py`; it takes one to two minutes on two cores.
"""

import vestige

found = vestige.audit("digits")

print(found)  # the five lines that the command prints
columns = ["sample", "label", "tpr", "fpr", "since_epoch"]
print(found.samples.nlargest(10, "vulnerability")[columns].to_string(index=False))
