#pragma once
#include "CBaselineCodec.h"
#include "CBaselineWasm.h"
