"""The look of the human view: one style sheet, for light and dark."""

from html import escape

_HUES = {
    # name: (text light, text dark, background light, background dark)
    "gray": ("#6f6e69", "#9b9b98", "#f0efed", "#2f2f2f"),
    "brown": ("#8a5a3c", "#c29a80", "#f3eae5", "#4a3228"),
    "orange": ("#c4650f", "#d99058", "#fae9dc", "#5c3b23"),
    "yellow": ("#a87710", "#cfa853", "#faf0d6", "#564328"),
    "green": ("#3d7a5c", "#5fae87", "#e6f1ea", "#243d30"),
    "blue": ("#2a73ad", "#6aa9db", "#e3eff8", "#143a4e"),
    "purple": ("#8350a6", "#b28ad0", "#f1e8f7", "#3c2d49"),
    "pink": ("#b5407c", "#d77fae", "#f9e6f0", "#4e2c3c"),
    "red": ("#c4433b", "#e07b74", "#fbe6e4", "#522e2a"),
}
_LAYOUT = """
:root{color-scheme:light dark;
--page:#fff;--ink:#2f2e2b;--soft:#73726e;--line:#e6e5e2;--panel:#f7f6f4;--link:#1f6bb0}
@media(prefers-color-scheme:dark){:root{--page:#191919;--ink:#e4e3e0;--soft:#9b9a97;--line:#373735;--panel:#242423;
--link:#7db4e6}}
*{box-sizing:border-box}
body{margin:0;
background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:820px;margin:0 auto;padding:24px 24px 96px}
main.wide{max-width:1200px}
a{color:var(--link)}
nav{color:var(--soft);font-size:14px;margin-bottom:24px}
nav a{color:inherit;text-decoration:none}
nav a:hover{text-decoration:underline}
.cover{display:block;width:100%;max-height:220px;object-fit:cover;border-radius:8px;margin-bottom:16px}
.icon{font-size:48px;line-height:1.1}
.icon img{width:48px;height:48px}
h1{font-size:2.1rem;line-height:1.2;margin:8px 0 20px;overflow-wrap:anywhere}
h2{font-size:1.6rem;margin:32px 0 8px}
h3{font-size:1.3rem;margin:26px 0 6px}
h4{font-size:1.1rem;margin:20px 0 4px}
h5{font-size:1rem;margin:18px 0 4px}
p,.block{margin:6px 0;overflow-wrap:anywhere;white-space:pre-wrap}
p:empty::after{content:"\\00a0"}
ul,ol{margin:6px 0;padding-left:26px}
.indent{margin-left:24px}
blockquote{margin:8px 0;padding:2px 14px;border-left:3px solid currentColor}
hr{border:0;border-top:1px solid var(--line);margin:16px 0}
pre{background:var(--panel);padding:14px;border-radius:6px;overflow-x:auto;white-space:pre}
code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.9em}
:not(pre)>code{background:var(--panel);padding:1px 5px;border-radius:4px}
.callout{display:flex;gap:12px;padding:14px 16px;border-radius:8px;background:var(--panel);margin:10px 0}
.callout>div{flex:1;min-width:0}
.callout p{margin:0}
.columns{display:flex;gap:24px;flex-wrap:wrap}
.columns>div{flex:1 1 0;min-width:180px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:14px;margin:10px 0}
.scroll>table{min-width:100%}
td,th{border:1px solid var(--line);padding:6px 10px;text-align:left;vertical-align:top}
th{background:var(--panel);font-weight:600}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
table.props{width:100%;border-bottom:1px solid var(--line);margin-bottom:20px}
table.props td,table.props th{border:0;padding:4px 8px 4px 0;background:none}
table.props th{width:190px;color:var(--soft);font-weight:400}
.pill{display:inline-block;padding:0 8px;border-radius:4px;background:var(--panel);margin:1px 4px 1px 0}
figure{margin:14px 0}
figure img{max-width:100%;border-radius:6px;background:#fff}
figcaption{color:var(--soft);font-size:14px}
.todo{display:flex;gap:8px;margin:4px 0}
.done{color:var(--soft);text-decoration:line-through}
.bookmark{display:block;padding:10px 14px;border:1px solid var(--line);border-radius:6px;margin:8px 0;
text-decoration:none;overflow-wrap:anywhere}
.note{color:var(--soft);font-size:14px}
.trash{background:#c4433b;color:#fff;padding:8px 14px;border-radius:6px;margin-bottom:16px}
summary{cursor:pointer}
summary>*{display:inline}
.u{text-decoration:underline}
@media print{main{max-width:none;padding:0}}
"""


def style_sheet() -> str:
    """The whole sheet."""
    light = "".join(
        f".c-{name}{{color:{text}}}.b-{name}{{background:{back}}}"
        for name, (text, _, back, _) in _HUES.items()
    )
    dark = "".join(
        f".c-{name}{{color:{text}}}.b-{name}{{background:{back}}}"
        for name, (_, text, _, back) in _HUES.items()
    )
    return f"{_LAYOUT}{light}@media(prefers-color-scheme:dark){{{dark}}}"


def color_class(color: str) -> str:
    """The class of a color such as ``red`` or ``red_background``; empty for the default."""
    if color.startswith("default"):
        return ""
    hue = color.removesuffix("_background")
    return f"b-{hue}" if color.endswith("_background") else f"c-{hue}"


def document(title: str, body: str, *, wide: bool = False) -> str:
    """A whole HTML page; ``body`` is HTML, ``title`` is text."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style_sheet()}</style></head>"
        f"<body><main{' class=' + chr(34) + 'wide' + chr(34) if wide else ''}>{body}</main></body></html>\n"
    )
