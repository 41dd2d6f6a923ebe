#pragma once
#include "CBaselineCodec.h"
#include "CBaselineStore.h"
#include "CBaselineWasm.h"
