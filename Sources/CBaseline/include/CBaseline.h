#pragma once
#include "CBaselineCodec.h"
#include "CBaselineStore.h"
