"""The child process that typesets: a job as JSON on standard input, the document on standard output.

``python -m portal.printing.press``. It bounds its own memory, time and files before it reads a word, so that no
ticket, however odd, can take the portal down. Typst sees two fixed sources, the fonts beside them, and nothing else.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import typst

from portal.printing.pages import make_pages, read_job
from portal.printing.receipt_rasters import PIXELS_PER_INCH, dots

HERE = Path(__file__).parent
MEMORY_BYTES = 1_000_000_000
CPU_SECONDS = 30


def bound() -> None:
    """From here on: this much memory and processor time, and not a byte written to any file."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    bound()
    values = json.load(sys.stdin)
    if "poster" in values:
        document = typeset(json.dumps(values["poster"]), source="poster.typ", form="pdf")
    elif "report" in values:
        document = typeset(json.dumps(values["report"]), source="report.typ", form="pdf")
    else:
        job = read_job(values)
        document = typeset(json.dumps(make_pages(job)), source="sheet.typ", form=job.form)
    sys.stdout.buffer.write(document)


def typeset(job: str, *, source: str, form: str) -> bytes:
    """A PDF, or a JSON list with one SVG, or the dots, of each page of what `source` makes of `job`, which is JSON."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[HERE / "fonts"])
    compiler = typst.Compiler(
        HERE / source,
        root=HERE,
        font_paths=fonts,
        sys_inputs={"job": job},
        # Empty places: no package can be loaded, and so none fetched.
        package_path=HERE / "no-packages",
        package_cache_path=HERE / "no-packages",
    )
    if form == "pdf":
        return _compile_pdf(compiler)
    if form == "dots":
        pages = compiler.compile(format="png", ppi=PIXELS_PER_INCH)
        return dots(pages if isinstance(pages, list) else [pages or b""])
    drawn = compiler.compile(format="svg")
    return json.dumps(
        [page.decode() for page in (drawn if isinstance(drawn, list) else [drawn or b""])]
    ).encode()


def _compile_pdf(compiler: typst.Compiler) -> bytes:
    """PDF/UA-1 (ISO 14289-1). It forbids signs that no font of ours has: with one, a tagged PDF without that claim."""
    try:
        document = compiler.compile(format="pdf", pdf_standards=["ua-1"])
    except typst.TypstError:
        document = compiler.compile(format="pdf")
    assert isinstance(document, bytes)
    return document


if __name__ == "__main__":
    main()
