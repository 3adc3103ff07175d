"""`python -m vestige.cli`, the same as `vestige`."""

from vestige.cli.main import main

if __name__ == "__main__":
    main()
