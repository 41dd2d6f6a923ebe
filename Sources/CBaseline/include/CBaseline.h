#pragma once
#include "CBaselineCodec.h"
