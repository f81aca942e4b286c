/* epi.h: all of libepi, in reading order. */
#ifndef EPI_EPI_H
#define EPI_EPI_H

#include "base.h"
#include "error.h"

#include "addr.h"

#include "area.h"
#include "plan.h"
#include "provision.h"
#include "review.h"

#include "estimate.h"

#include "socks.h"

#include "stack.h"

#include "auth.h"

#include "datagram.h"

#include "session.h"

#include "filter.h"

#include "redirect.h"

#include "tls.h"

#include "users.h"

#include "audit.h"

#include "sandbox.h"

#include "parameters.h"

#include "engine.h"

#include "instance.h"

#include "sight.h"

#include "control.h"

#include "admin.h"

#endif
