// All of a plug-in's library in one piece, which compiles faster than its parts do one by one.
#include "bench.cpp"
#include "clap.cpp"
#include "engine.cpp"
#include "lv2.cpp"
#include "system_posix.cpp"
#include "system_windows.cpp"
#include "vst3.cpp"
