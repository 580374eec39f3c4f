"""Say how many there are of something."""


def counted(number: int, one: str, several: str = "") -> str:
    """Return ``1 file`` or ``2 files``; ``several`` is for words that do more than end in an ``s``."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"
