"""What a workflow's file says about whose forks are built from."""

from bot.live_data import choices
from bot.rehearsal.release_workflow import INPUTS, text

FILE = """\
on:
  push:
  workflow_dispatch:
    inputs:
      git_remote:
        type: choice
        description: "Git remote to checkout CPython from"
        options:
          - python
          - "hugovk"
          - 'Yhg1s'

          - ambv
        default: python
      git_commit:
        type: string
        options_of_another:
          - nobody
"""


def test_the_choices_of_an_input_are_read() -> None:
    assert choices(FILE, "git_remote") == ("python", "hugovk", "Yhg1s", "ambv")
    assert choices(FILE, "git_commit") == ()
    assert choices(FILE, "absent") == ()
    assert choices("", "git_remote") == ()
    assert choices(text(), "git_remote") == INPUTS[0].options
