"""What a PDF carries besides its pages: dates, XMP metadata and attached files, free of the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.sax.saxutils import escape

from reportlab.lib.utils import TimeStamp
from reportlab.pdfbase.pdfdoc import XMP, PDFArray, PDFDictionary, PDFName, PDFStream, PDFString, PDFZCompress
from reportlab.pdfgen.canvas import Canvas

__all__ = ["attach_files", "set_dates", "set_xmp"]

_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
<dc:subject><rdf:Bag>{keywords}</rdf:Bag></dc:subject>
<xmp:CreateDate>{date}</xmp:CreateDate><xmp:ModifyDate>{date}</xmp:ModifyDate>
<xmp:CreatorTool>{creator}</xmp:CreatorTool>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def set_dates(canvas: Canvas, moment: datetime) -> None:
    """Makes the document's dates those of the report, in place of the time of writing."""
    stamp = TimeStamp(invariant=1)
    stamp.YMDhms = moment.timetuple()[:6]
    offset = moment.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    stamp.dhh, stamp.dmm = int(minutes / 60), abs(minutes) % 60
    canvas._doc._timeStamp = stamp


def set_xmp(
    canvas: Canvas,
    *,
    title: str,
    subject: str,
    author: str,
    language: str,
    keywords: Sequence[str],
    creator: str,
    date: str,
) -> None:
    """Adds an XMP packet with the same words as the document's information dictionary."""
    packet = _XMP.format(
        title=escape(title),
        subject=escape(subject),
        author=escape(author),
        language=language,
        keywords="".join(f"<rdf:li>{escape(word)}</rdf:li>" for word in keywords),
        creator=escape(creator),
        date=escape(date),
    )
    canvas.setCatalogEntry("Metadata", XMP(creator=lambda _document: packet.encode()))


def attach_files(canvas: Canvas, files: Mapping[str, tuple[str, bytes]]) -> None:
    """Embeds files so that every reader's attachment pane lists them (PDF 32000-1, 7.11.4).

    Args:
        canvas: The document's canvas.
        files: ASCII name to (MIME type, content).
    """
    document = canvas._doc
    names: list[object] = []
    for name, (mime, content) in sorted(files.items()):
        stream = PDFStream(
            dictionary=PDFDictionary(
                {
                    "Type": PDFName("EmbeddedFile"),
                    "Subtype": "/" + mime.replace("/", "#2F"),
                    "Params": PDFDictionary({"Size": len(content)}),
                }
            ),
            content=content,
            filters=[PDFZCompress],
        )
        reference = document.Reference(stream)
        specification = PDFDictionary(
            {
                "Type": PDFName("Filespec"),
                "F": PDFString(name),
                "UF": PDFString(name),
                "EF": PDFDictionary({"F": reference}),
                "AFRelationship": PDFName("Data"),
            }
        )
        names += [PDFString(name), document.Reference(specification)]
    tree = PDFDictionary({"Names": PDFArray(names)})
    canvas.setCatalogEntry("Names", PDFDictionary({"EmbeddedFiles": tree}))
