"""ES modules → one: what `import` and `export` join in the files, joined in one text, since a widget is one module.

The files are plain modules, which a browser also loads as they are. Only one form of import is understood:
`import { a, b } from "./file.js";`, on a line of its own and without other names.
"""

from __future__ import annotations

import re
from importlib.resources import files

_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./(\w+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:class|function|const)\b)", re.MULTILINE)
_NAME = re.compile(r"^(export )?(?:async )?(?:class|function|const|let) (\w+)", re.MULTILINE)


def bundle(entry: str) -> str:
    """A module that needs no other, from the file `entry` and all that it imports, each once and before it is used.

    Raises:
        ValueError: a name that is imported is not exported, two files declare one name, or an import is of another form.
    """
    done: dict[str, str] = {}
    _add(entry, done)
    owners: dict[str, str] = {}
    for file, text in done.items():
        for _, name in _NAME.findall(text):
            if owners.setdefault(name, file) != file:
                raise ValueError(f"{owners[name]} and {file} both declare {name}")
    return "".join(f"// {file}\n{_EXPORT.sub('', text)}\n" for file, text in done.items())


def _add(file: str, done: dict[str, str]) -> None:
    text = read(file)
    for names, source in _IMPORT.findall(text):
        if source not in done:
            _add(source, done)
        exported = {name for export, name in _NAME.findall(done[source]) if export}
        if missing := set(names.split(", ")) - exported:
            raise ValueError(f"{file} imports {', '.join(sorted(missing))}, which {source} does not export")
    rest = _IMPORT.sub("", text)
    if re.search(r"^import\b", rest, re.MULTILINE):
        raise ValueError(f'{file} has an import of another form than `import {{ a }} from "./b.js";`')
    done[file] = rest.strip() + "\n"


def read(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")
