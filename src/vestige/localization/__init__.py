"""Where in a network privacy risk and generalization live: probes of regions, and what they agree on."""
