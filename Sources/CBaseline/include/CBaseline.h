#pragma once
#include "CBaselineCodec.h"
#include "CBaselineGraph.h"
#include "CBaselineStore.h"
#include "CBaselineWasm.h"
