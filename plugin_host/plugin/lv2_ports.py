"""The LV2 format's Turtle files: what a plug-in is and which ports it has, in the order that lv2.cpp knows."""

from __future__ import annotations

from collections.abc import Iterator

from models.control import Control
from plugin_host.plugin.product import BYPASS, Product, symbol_of

BUFFERS = (0, 64, 128, 256, 512, 1024, 2048)
_ENGINE = ("away: dry", "joining: dry", "playing", "late: dry", "refused: dry", "bounce incomplete")
_UNITS = {"Hz": "units:hz", "dB": "units:db", "%": "units:pc"}
# By which a plug-in asks its host to turn a knob, and Ardour's own way.
_CHANGE_REQUEST = "http://kx.studio/ns/lv2ext/control-input-port-change-request"
_AUTOMATE = "http://ardour.org/lv2/automate#"
# Room for a gesture of every knob in one block.
_MOVES_BYTES = 16384
_PREFIXES = """\
@prefix atom: <http://lv2plug.in/ns/ext/atom#> .
@prefix doap: <http://usefulinc.com/ns/doap#> .
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix pprops: <http://lv2plug.in/ns/ext/port-props#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix rsz: <http://lv2plug.in/ns/ext/resize-port#> .
@prefix state: <http://lv2plug.in/ns/ext/state#> .
@prefix time: <http://lv2plug.in/ns/ext/time#> .
@prefix units: <http://lv2plug.in/ns/extensions/units#> .
@prefix urid: <http://lv2plug.in/ns/ext/urid#> .
"""


# Behind the knobs, as hosts may keep automation by a port's number.
_MOVES = (
    "a atom:AtomPort , lv2:OutputPort",
    'lv2:symbol "moves" ; lv2:name "Moves" ; atom:bufferType atom:Sequence ;\n'
    f"        atom:supports <{_AUTOMATE}automationControl> ; rsz:minimumSize {_MOVES_BYTES} ;\n"
    "        lv2:portProperty lv2:connectionOptional",
)


def manifest(product: Product) -> str:
    """Write manifest.ttl."""
    plugins = "\n".join(
        f"<{uri}> a lv2:Plugin ; lv2:binary <{product.slug}.so> ; rdfs:seeAlso <{product.slug}.ttl> ."
        for uri in (product.uri, f"{product.uri}#mono")
    )
    return f"{_PREFIXES}\n{plugins}\n"


def description(product: Product) -> str:
    """Write the file that describes the stereo and the mono plug-in."""
    foreign = (
        f"<{_CHANGE_REQUEST}> a lv2:Feature .\n"
        f"<{_AUTOMATE}canWriteAutomatation> a lv2:Feature .\n"
        f"<{_AUTOMATE}automationController> a lv2:PortProperty .\n"
        f"<{_AUTOMATE}automationControl> a rdfs:Class ."
    )
    return "\n".join([_PREFIXES, foreign, _plugin(product, 2), _plugin(product, 1)])


def _plugin(product: Product, channels: int) -> str:
    knobs = [_knob(control) for control in product.controls if control.id != BYPASS.id]
    ports = [*_audio(channels), *fixed_ports(), *knobs, _MOVES]
    listed = " , ".join(
        f"[\n        {kind} ;\n        lv2:index {index} ;\n        {rest}\n    ]"
        for index, (kind, rest) in enumerate(ports)
    )
    mono = "#mono" if channels == 1 else ""
    name = product.name + (" (mono)" if mono else "")
    return f"""\
<{product.uri}{mono}>
    a lv2:Plugin , lv2:FilterPlugin ;
    doap:name {_text(name)} ;
    doap:license <https://spdx.org/licenses/GPL-3.0-or-later> ;
    lv2:minorVersion 1 ;
    lv2:microVersion 0 ;
    lv2:requiredFeature urid:map ;
    lv2:optionalFeature lv2:hardRTCapable ,
        <{_CHANGE_REQUEST}> , <{_AUTOMATE}canWriteAutomatation> ;
    lv2:extensionData state:interface ;
    lv2:port {listed} .
"""


def _audio(channels: int) -> Iterator[tuple[str, str]]:
    for kind, word in (("Input", "in"), ("Output", "out")):
        for number in range(1, channels + 1):
            yield f"a lv2:AudioPort , lv2:{kind}Port", f'lv2:symbol "{word}_{number}" ; lv2:name "{kind} {number}"'


def fixed_ports() -> Iterator[tuple[str, str]]:
    """Yield kind and rest of the ports that any product has before its knobs: the enumeration `Port` in lv2.cpp."""
    control = "a lv2:ControlPort , lv2:InputPort"
    yield (
        "a atom:AtomPort , lv2:InputPort",
        'lv2:symbol "time" ; lv2:name "Time" ; atom:bufferType atom:Sequence ; atom:supports time:Position ;\n'
        "        lv2:designation lv2:control ; lv2:portProperty lv2:connectionOptional",
    )
    choices = " , ".join(f'[ rdfs:label "{size} samples" ; rdf:value {size} ]' for size in BUFFERS)
    yield (
        control,
        'lv2:symbol "buffer" ; lv2:name "Buffer" ; lv2:default 256 ; lv2:minimum 0 ; lv2:maximum 2048 ;\n'
        "        lv2:portProperty lv2:integer , lv2:enumeration , pprops:expensive , pprops:notAutomatic ;\n"
        f"        lv2:scalePoint {choices}",
    )
    yield (
        control,
        'lv2:symbol "free_wheeling" ; lv2:name "Free wheeling" ; lv2:default 0 ; lv2:minimum 0 ; lv2:maximum 1 ;\n'
        "        lv2:designation lv2:freeWheeling ; lv2:portProperty lv2:toggled , pprops:notOnGUI",
    )
    yield (
        "a lv2:ControlPort , lv2:OutputPort",
        'lv2:symbol "latency" ; lv2:name "Delay" ; lv2:default 256 ; lv2:minimum 0 ; lv2:maximum 32768 ;\n'
        "        lv2:designation lv2:latency ; units:unit units:frame ;\n"
        "        lv2:portProperty lv2:reportsLatency , lv2:integer , pprops:notOnGUI",
    )
    states = " , ".join(f'[ rdfs:label "{text}" ; rdf:value {place} ]' for place, text in enumerate(_ENGINE))
    yield (
        "a lv2:ControlPort , lv2:OutputPort",
        f'lv2:symbol "engine" ; lv2:name "Engine" ; lv2:default 0 ; lv2:minimum 0 ; lv2:maximum {len(_ENGINE) - 1} ;\n'
        f"        lv2:portProperty lv2:integer , lv2:enumeration ; lv2:scalePoint {states}",
    )
    yield (
        control,
        'lv2:symbol "enabled" ; lv2:name "Enabled" ; lv2:default 1 ; lv2:minimum 0 ; lv2:maximum 1 ;\n'
        "        lv2:designation lv2:enabled ; lv2:portProperty lv2:toggled",
    )
    yield (
        control,
        'lv2:symbol "panel" ; lv2:name "Panel" ; lv2:default 0 ; lv2:minimum 0 ; lv2:maximum 1 ;\n'
        "        lv2:portProperty lv2:toggled , pprops:notAutomatic ;\n"
        '        rdfs:comment "Turned on, the panel of this instance opens in the browser; turned off, it ends."',
    )


def _knob(control: Control) -> tuple[str, str]:
    low = 0.0 if control.automatic else control.low
    words = [
        f"lv2:symbol {_text(symbol_of(control))} ; lv2:name {_text(control.name)} ;",
        f"lv2:default {control.default!r} ; lv2:minimum {low!r} ; lv2:maximum {control.high!r}",
    ]
    properties = [f"<{_AUTOMATE}automationController>"]
    if control.curve == "switch":
        properties.append("lv2:toggled")
    elif control.curve == "log" and not control.automatic:
        properties.append("pprops:logarithmic")
    words.append(f"; lv2:portProperty {' , '.join(properties)}")
    if control.automatic:
        words.append('; lv2:scalePoint [ rdfs:label "auto" ; rdf:value 0.0 ]')
    if control.unit in _UNITS:
        words.append(f"; units:unit {_UNITS[control.unit]}")
    if control.about:
        words.append(f"; rdfs:comment {_text(control.about)}")
    return "a lv2:ControlPort , lv2:InputPort", "\n        ".join(words)


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
