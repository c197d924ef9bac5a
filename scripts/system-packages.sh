#!/usr/bin/env bash
# Installs the system packages that Highband needs: `system-packages.sh run` for the program, `... test` for its tests too.
# On Debian and Ubuntu it installs what is missing; elsewhere it says in one sentence what to install.
set -euo pipefail

purpose=${1:-run}
python=${PYTHON:-python3}

case $purpose in
    run | test) ;;
    *)
        echo "Call it as: scripts/system-packages.sh [run|test]" >&2
        exit 2
        ;;
esac

# True if the dynamic linker finds this library.
has_library() {
    PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -F "$1" >/dev/null
}

has_vst3_plugins() {
    local folder
    for folder in /usr/lib/vst3 /usr/lib64/vst3 /usr/local/lib/vst3 "$HOME/.vst3" /Library/Audio/Plug-Ins/VST3 \
        "$HOME/Library/Audio/Plug-Ins/VST3"; do
        [[ -d $folder/ZaMaximX2.vst3 ]] && return 0
    done
    return 1
}

has_browser() {
    command -v chromium >/dev/null || command -v google-chrome >/dev/null ||
        [[ -d "/Applications/Google Chrome.app" || -d /Applications/Chromium.app ]]
}

on_debian() {
    command -v apt-get >/dev/null && command -v dpkg >/dev/null
}

# python-rtmidi comes compiled only for CPython 3.11 and 3.12 on these two processors.
must_compile_midi() {
    [[ $(uname -m) != x86_64 && $(uname -m) != aarch64 ]] ||
        ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null
}

wanted_packages() {
    # libstdc++6 serves every compiled package, libatomic1 is for pedalboard, libasound2 for python-rtmidi.
    echo libstdc++6 libatomic1 libasound2
    if ! command -v "$python" >/dev/null; then
        echo python3 python3-venv
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo python3-venv
    fi
    if must_compile_midi; then
        echo build-essential pkg-config python3-dev libasound2-dev libjack-jackd2-dev
    fi
    if [[ $purpose == test ]]; then
        # A sound card's library, a sound server that runs without a card, and VST3 plug-ins that report a latency.
        echo libportaudio2 jackd2 zam-plugins
        # The other server that JACK's programs find, and the bus that it needs.
        echo pipewire pipewire-jack wireplumber dbus
        # The DAW plug-in and a plug-in that misbehaves: a compiler and the published interfaces of the formats; hosts and
        # checkers of LV2.
        echo g++ dpf-source jalv lilv-utils sordi lv2-dev
        # A browser for the panel; on Ubuntu this is a snap, where an installed Chrome does as well.
        has_browser || echo chromium
    fi
}

installed() {
    dpkg -s "$1" 2>/dev/null | grep -qx 'Status: install ok installed'
}

# Releases with 64-bit time have renamed some libraries: libasound2 is libasound2t64 there.
missing_packages() {
    local package
    for package in $(wanted_packages); do
        installed "$package" || installed "${package}t64" || echo "$package"
    done
}

present_name() {
    if apt-cache show "${1}t64" >/dev/null 2>&1; then echo "${1}t64"; else echo "$1"; fi
}

install_packages() {
    local as_root=() names=() package
    if [[ $(id -u) -ne 0 ]]; then
        command -v sudo >/dev/null || return 1
        as_root=(sudo)
    fi
    as_root+=(env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a)
    # Lists that are out of date may still do, so a failure shows at the install.
    "${as_root[@]}" apt-get update -qq >&2 || true
    for package in "$@"; do names+=("$(present_name "$package")"); done
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${names[@]}" >&2
}

if on_debian; then
    mapfile -t missing < <(missing_packages)
    if [[ ${#missing[@]} -eq 0 ]] || install_packages "${missing[@]}"; then exit 0; fi
    echo "Install these packages as an administrator and run it again: apt-get install ${missing[*]}" >&2
    # The program itself may do without them; its own message then names what it lacks.
    [[ $purpose == run ]]
    exit
fi

absent=()
command -v jackd >/dev/null || absent+=("JACK 2 (jackd)")
has_vst3_plugins || absent+=("the zam-plugins VST3 plug-ins")
has_browser || absent+=("Chromium")
# On macOS the sounddevice package brings PortAudio along.
[[ $(uname -s) == Darwin ]] || has_library libportaudio.so.2 || absent+=("PortAudio 2")
[[ ${#absent[@]} -eq 0 ]] && exit 0
list=$(printf ', %s' "${absent[@]}")
echo "For live sound and for the tests, install with your system's package manager: ${list:2}." >&2
[[ $purpose == run ]]
