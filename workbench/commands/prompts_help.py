"""What `qbs prompts` and its commands say by way of example."""

from __future__ import annotations

EPILOG = """\
\b
Examples:
  qbs prompts list
  qbs prompts show question > question.md      edit it, then:
  qbs prompts check question.md
  qbs prompts save question.md --note "asks for numbers later"
  qbs prompts diff question@v1 question@v2
  qbs evaluate --variant llm --prompts question@v2 --against llm

\b
A version is named question@v2 or question@1f9ac3e2, the shipped one question.
A set is `shipped`, its label, its hash, or question@v2,extraction@v3: the
shipped one with those versions. Nothing is ever overwritten.
"""
EPILOGS = {
    "list": """\
\b
Examples:
  qbs prompts list
  qbs prompts list question
  qbs prompts list --json | jq -r '.sets[].labels[]'
""",
    "show": """\
\b
Examples:
  qbs prompts show question > question.md    the text, byte for byte
  qbs prompts show question@v2 --facts       who saved it, which runs used it
  qbs prompts show question@v2 --schema      what the model fills in
""",
    "diff": """\
\b
Examples:
  qbs prompts diff question@v2               what changed since its parent
  qbs prompts diff question@v1 question@v3
""",
    "check": """\
\b
Example:
  qbs prompts check question.md

\b
Each problem is printed as FILE:LINE: what is wrong. If it cannot be used,
it ends with 1.
""",
    "save": """\
\b
Examples:
  qbs prompts save question.md --note "asks for numbers later"
  qbs prompts save question.md --as bold --parent question@v3

\b
The next version is v2, v3, ... A content that is there already is that
version. Nothing but the line `version:` changes.
""",
    "label": """\
\b
Examples:
  qbs prompts label brief question@v2
  qbs prompts label briefer extraction@v4 --from brief
""",
    "export": """\
\b
Examples:
  qbs prompts export ../checkout/prompts
  qbs prompts export ../checkout/prompts --prompts brief
""",
    "import": """\
\b
Examples:
  qbs prompts import ../checkout/prompts
  qbs prompts import ideas.txt --name question
  qbs prompts import template.j2 --name extraction@v3
""",
    "examples": """\
\b
Examples:
  qbs prompts examples question b2b_discovery/deep-unasked/3
  qbs prompts examples question@v4          without examples again

\b
The examples are a new version. Their conversations no longer judge it: every
evaluation leaves them out, and says so.
""",
    "promptfoo": """\
\b
Examples:
  qbs prompts promptfoo out --model openai/gpt-4.1
  qbs prompts promptfoo out --prompts brief --split dev
""",
    "langfuse": """\
\b
Example:
  qbs prompts langfuse langfuse.json --prompts brief
""",
}
