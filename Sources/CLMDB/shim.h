// Only what Swift cannot import, each with its reason.
#pragma once
#include <lmdb.h>
