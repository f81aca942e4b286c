"""_abi.py: every function and constant of libepi's headers.

Written by `declare`; change that, or the headers, and run it again."""
from ctypes import (
    c_char_p,
    c_double,
    c_int,
    c_int64,
    c_size_t,
    c_ssize_t,
    c_uint64,
    c_void_p,
)

from ._foreign import (
    AddrPointer,
    AddrPointers,
    Bytes,
    Callback,
    Diff,
    Double,
    Handle,
    Int,
    Int64,
    Int64s,
    Ints,
    MaybeText,
    Out,
    Size,
    Sizes,
    Text,
    Texts,
    UInt16,
    UInt64,
    long,
    quick,
)

# ---- base.h ----

EPI_VERSION_MAJOR = 0
EPI_VERSION_MINOR = 1
EPI_VERSION_PATCH = 0
EPI_VERSION_STRING = "0.1.0"
EPI_SECRET_MAX = 65536

epi_version = quick("epi_version", c_char_p)
epi_set_allocator = quick(
    "epi_set_allocator", c_int, Callback(c_void_p, c_size_t),
    Callback(c_void_p, c_void_p, c_size_t), Callback(None, c_void_p),
)
epi_free = quick("epi_free", None, Bytes)
epi_secret_read = long("epi_secret_read", c_int, Text, Out, Sizes)
epi_wipe = quick("epi_wipe", None, Bytes, Size)

# ---- error.h ----

EPI_EINVAL = (-1)
EPI_ENOMEM = (-2)
EPI_ESTATE = (-3)
EPI_ENOTSUP = (-4)
EPI_ELIMIT = (-5)
EPI_ESYS = (-6)
EPI_EPERM = (-7)
EPI_ENOENT = (-8)
EPI_EBUSY = (-9)
EPI_EMODEL = (-10)
EPI_EDENIED = (-11)
EPI_EPROTO = (-12)
EPI_EVERSION = (-13)
EPI_EAUTH = (-14)
EPI_EREFUSED = (-15)
EPI_ETIMEOUT = (-16)
EPI_ECLOSED = (-17)
EPI_ERESOLVE = (-18)
EPI_ECRYPTO = (-19)
EPI_EFILTER = (-20)

ERRORS = {
    EPI_EINVAL: "bad argument",
    EPI_ENOMEM: "out of memory",
    EPI_ESTATE: "not possible in this state",
    EPI_ENOTSUP: "not in this build or on this system",
    EPI_ELIMIT: "a limit was reached",
    EPI_ESYS: "the operating system refused",
    EPI_EPERM: "privilege is missing",
    EPI_ENOENT: "no such thing",
    EPI_EBUSY: "already in use",
    EPI_EMODEL: "the model document has errors",
    EPI_EDENIED: "not allowed by policy",
    EPI_EPROTO: "the peer broke the protocol",
    EPI_EVERSION: "the peer speaks another version",
    EPI_EAUTH: "authentication failed",
    EPI_EREFUSED: "the peer refused",
    EPI_ETIMEOUT: "took too long",
    EPI_ECLOSED: "the connection is closed",
    EPI_ERESOLVE: "the name did not resolve",
    EPI_ECRYPTO: "data is forged, damaged or under another key",
    EPI_EFILTER: "a bridging function failed",
}

epi_strerror = quick("epi_strerror", c_char_p, Int)
epi_error_detail = quick("epi_error_detail", c_char_p)
epi_report_new = quick("epi_report_new", c_int, Out)
epi_report_free = quick("epi_report_free", None, Handle)
epi_report_count = quick("epi_report_count", c_size_t, Handle)
epi_report_line = quick("epi_report_line", c_char_p, Handle, Size)

# ---- addr.h ----

EPI_ADDR_NONE = 0
EPI_ADDR_IPV4 = 1
EPI_ADDR_NAME = 3
EPI_ADDR_IPV6 = 4
EPI_NAME_MAX = 255
EPI_ADDR_TEXT_MAX = 264

epi_addr_parse = quick("epi_addr_parse", c_int, AddrPointer, Text, Int)
epi_addr_set_ip = quick(
    "epi_addr_set_ip", c_int, AddrPointer, Bytes, Size, UInt16,
)
epi_addr_set_name = quick(
    "epi_addr_set_name", c_int, AddrPointer, Text, Size, UInt16,
)
epi_addr_format = quick(
    "epi_addr_format", c_ssize_t, AddrPointer, Int, Bytes, Size,
)
epi_addr_equal = quick("epi_addr_equal", c_int, AddrPointer, AddrPointer)

# ---- area.h ----

EPI_DIRECT = 1
EPI_BRIDGED = 2
EPI_UNBRIDGEABLE = 3
EPI_UNPLACEABLE = 4
EPI_DENIED = 5
EPI_MODEL_MAX = (64 * 1024 * 1024)
EPI_PAIRS_SUPPORTED = 1
EPI_PAIRS_UNSUPPORTED = 2
EPI_PAIRS_UNBRIDGEABLE = 3
EPI_QUERY_APPLICATION = 1
EPI_QUERY_PURPOSE = 2
EPI_QUERY_DATASET = 3
EPI_QUERY_USER = 4
EPI_QUERY_CONSENT = 5
EPI_QUERY_AUTHENTICATED = 6
EPI_COST_SETUP = 1
EPI_COST_PER_FLOW = 2
EPI_COST_PER_MIB = 3
EPI_COST_COMPLEXITY = 4
EPI_NEED = 1
EPI_HAVE = 2
EPI_MISSING = 3
EPI_REASONER_DELIBERATION = 1
EPI_REASONER_VIOLATIONS = 2

epi_model_read = long("epi_model_read", c_int, Out, Handle, Bytes, Size)
epi_builder_new = quick("epi_builder_new", c_int, Out)
epi_builder_free = quick("epi_builder_free", None, Handle)
epi_builder_add_node = quick("epi_builder_add_node", c_int, Handle, Text)
epi_builder_add_proxy = quick(
    "epi_builder_add_proxy", c_int, Handle, Text, Text,
)
epi_builder_add_port = quick("epi_builder_add_port", c_int, Handle, Text, Text)
epi_builder_add_function = quick(
    "epi_builder_add_function", c_int, Handle, Text,
)
epi_builder_add_application = quick(
    "epi_builder_add_application", c_int, Handle, Text,
)
epi_builder_add_flow = quick("epi_builder_add_flow", c_int, Handle, Text, Text)
epi_builder_add_rule = quick("epi_builder_add_rule", c_int, Handle, Text, Text)
epi_builder_set_text = quick("epi_builder_set_text", c_int, Handle, Text, Text)
epi_builder_set_number = quick(
    "epi_builder_set_number", c_int, Handle, Text, Double,
)
epi_builder_add_text = quick("epi_builder_add_text", c_int, Handle, Text, Text)
epi_builder_add_number = quick(
    "epi_builder_add_number", c_int, Handle, Text, Double,
)
epi_builder_finish = quick("epi_builder_finish", c_int, Handle, Handle, Out)
epi_model_ref = quick("epi_model_ref", c_void_p, Handle)
epi_model_free = long("epi_model_free", None, Handle)
epi_model_hash = quick("epi_model_hash", c_char_p, Handle)
epi_model_write = long("epi_model_write", c_int, Handle, Out)
epi_model_overview = long("epi_model_overview", c_int, Handle, Out)
epi_model_node_count = quick("epi_model_node_count", c_size_t, Handle)
epi_model_node_name = quick("epi_model_node_name", c_char_p, Handle, Size)
epi_model_node_domain = quick("epi_model_node_domain", c_char_p, Handle, Size)
epi_model_node_find = quick("epi_model_node_find", c_ssize_t, Handle, Text)
epi_model_node_at = quick("epi_model_node_at", c_ssize_t, Handle, AddrPointer)
epi_model_node_host = quick(
    "epi_model_node_host", c_int, Handle, Size, AddrPointer,
)
epi_model_area_count = quick("epi_model_area_count", c_size_t, Handle)
epi_model_area_node_count = quick(
    "epi_model_area_node_count", c_size_t, Handle, Size,
)
epi_model_area_node = quick(
    "epi_model_area_node", c_ssize_t, Handle, Size, Size,
)
epi_model_area_attribute_count = quick(
    "epi_model_area_attribute_count", c_size_t, Handle, Size,
)
epi_model_area_attribute = quick(
    "epi_model_area_attribute", c_char_p, Handle, Size, Size,
)
epi_model_area_of = quick("epi_model_area_of", c_ssize_t, Handle, Size)
epi_model_area_above = quick(
    "epi_model_area_above", c_ssize_t, Handle, Size, Sizes, Size,
)
epi_model_channel = quick("epi_model_channel", c_int, Handle, Size, Size)
epi_model_gap = quick(
    "epi_model_gap", c_ssize_t, Handle, Size, Size, Texts, Size,
)
epi_model_gap_bridgeable = quick(
    "epi_model_gap_bridgeable", c_int, Handle, Size, Size,
)
epi_model_application_count = quick(
    "epi_model_application_count", c_size_t, Handle,
)
epi_model_application_name = quick(
    "epi_model_application_name", c_char_p, Handle, Size,
)
epi_model_application_find = quick(
    "epi_model_application_find", c_ssize_t, Handle, Text,
)
epi_model_application_areas = quick(
    "epi_model_application_areas", c_ssize_t, Handle, Size, Sizes, Size,
)
epi_model_application_flow_count = quick(
    "epi_model_application_flow_count", c_size_t, Handle, Size,
)
epi_model_application_flow = quick(
    "epi_model_application_flow", c_int, Handle, Size, Size, Sizes, Sizes,
    Ints,
)
epi_model_pairs = long("epi_model_pairs", c_int64, Handle, Diff, Int)
epi_model_ratio = long("epi_model_ratio", c_double, Handle, Diff)
epi_model_proxy_endpoint = quick(
    "epi_model_proxy_endpoint", c_char_p, Handle, Text,
)
epi_model_proxy_count = quick("epi_model_proxy_count", c_size_t, Handle)
epi_model_proxy_name = quick("epi_model_proxy_name", c_char_p, Handle, Size)
epi_model_proxy_port_count = quick(
    "epi_model_proxy_port_count", c_size_t, Handle, Size,
)
epi_model_proxy_port_listen = quick(
    "epi_model_proxy_port_listen", c_int, Handle, Size, Size, AddrPointer,
)
epi_model_proxy_port_from = quick(
    "epi_model_proxy_port_from", c_ssize_t, Handle, Size, Size,
)
epi_model_proxy_port_to = quick(
    "epi_model_proxy_port_to", c_int, Handle, Size, Size, AddrPointer,
)
epi_model_function_count = quick("epi_model_function_count", c_size_t, Handle)
epi_model_function_name = quick(
    "epi_model_function_name", c_char_p, Handle, Size,
)
epi_model_function_filter = quick(
    "epi_model_function_filter", c_char_p, Handle, Size,
)
epi_model_function_endpoint_count = quick(
    "epi_model_function_endpoint_count", c_size_t, Handle, Size,
)
epi_model_function_endpoint = quick(
    "epi_model_function_endpoint", c_char_p, Handle, Size, Size,
)
epi_model_function_fails_open = quick(
    "epi_model_function_fails_open", c_int, Handle, Size,
)
epi_model_function_proves = quick(
    "epi_model_function_proves", c_int, Handle, Size,
)
epi_model_function_image = quick(
    "epi_model_function_image", c_char_p, Handle, Size,
)
epi_model_function_options = quick(
    "epi_model_function_options", c_char_p, Handle, Size,
)
epi_model_function_instances = quick(
    "epi_model_function_instances", c_int, Handle, Size,
)
epi_model_function_capacity = quick(
    "epi_model_function_capacity", c_int, Handle, Size,
)
epi_query_new = quick("epi_query_new", c_int, Out)
epi_query_free = quick("epi_query_free", None, Handle)
epi_query_set_from = quick("epi_query_set_from", c_int, Handle, AddrPointer)
epi_query_set_to = quick("epi_query_set_to", c_int, Handle, AddrPointer)
epi_query_set_from_node = quick("epi_query_set_from_node", c_int, Handle, Text)
epi_query_set_to_node = quick(
    "epi_query_set_to_node", c_int, Handle, Text, Int,
)
epi_query_set = quick("epi_query_set", c_int, Handle, Int, MaybeText)
epi_query_set_time = quick("epi_query_set_time", None, Handle, Int64)
epi_query_set_weight = quick(
    "epi_query_set_weight", c_int, Handle, Int, Double,
)
epi_query_set_running = quick(
    "epi_query_set_running", c_int, Handle, Text, Int64,
)
epi_decision_new = quick("epi_decision_new", c_int, Out)
epi_decision_free = quick("epi_decision_free", None, Handle)
epi_model_decide = long("epi_model_decide", c_int, Handle, Handle, Handle)
epi_decision_verdict = quick("epi_decision_verdict", c_int, Handle)
epi_verdict_name = quick("epi_verdict_name", c_char_p, Int)
epi_decision_allowed = quick("epi_decision_allowed", c_int, Handle)
epi_decision_from = quick("epi_decision_from", c_char_p, Handle)
epi_decision_to = quick("epi_decision_to", c_char_p, Handle)
epi_decision_application = quick("epi_decision_application", c_char_p, Handle)
epi_decision_rule = quick("epi_decision_rule", c_char_p, Handle)
epi_decision_reason = quick("epi_decision_reason", c_char_p, Handle)
epi_decision_attribute_count = quick(
    "epi_decision_attribute_count", c_size_t, Handle, Int,
)
epi_decision_attribute = quick(
    "epi_decision_attribute", c_char_p, Handle, Int, Size,
)
epi_decision_require_count = quick(
    "epi_decision_require_count", c_size_t, Handle,
)
epi_decision_require = quick("epi_decision_require", c_char_p, Handle, Size)
epi_decision_plan = quick("epi_decision_plan", c_void_p, Handle)
epi_decision_model = quick("epi_decision_model", c_void_p, Handle)
epi_decision_write = quick("epi_decision_write", c_int, Handle, Out)
epi_reasoner_rule = quick(
    "epi_reasoner_rule", c_int, Bytes, Size, Handle, MaybeText, Out,
)
epi_reasoner_apply = long(
    "epi_reasoner_apply", c_int, Handle, Bytes, Size, Handle, MaybeText, Out,
)
epi_reasoner_reply = quick(
    "epi_reasoner_reply", c_int, Handle, Int, MaybeText, Out,
)

# ---- plan.h ----

epi_plan_hop_count = quick("epi_plan_hop_count", c_size_t, Handle)
epi_plan_hop_proxy = quick("epi_plan_hop_proxy", c_char_p, Handle, Size)
epi_plan_hop_endpoint = quick("epi_plan_hop_endpoint", c_char_p, Handle, Size)
epi_plan_function_count = quick(
    "epi_plan_function_count", c_size_t, Handle, Size,
)
epi_plan_function_name = quick(
    "epi_plan_function_name", c_char_p, Handle, Size, Size,
)
epi_plan_function_filter = quick(
    "epi_plan_function_filter", c_char_p, Handle, Size, Size,
)
epi_plan_function_endpoint = quick(
    "epi_plan_function_endpoint", c_char_p, Handle, Size, Size,
)
epi_plan_function_endpoint_count = quick(
    "epi_plan_function_endpoint_count", c_size_t, Handle, Size, Size,
)
epi_plan_function_endpoint_at = quick(
    "epi_plan_function_endpoint_at", c_char_p, Handle, Size, Size, Size,
)
epi_plan_function_fails_open = quick(
    "epi_plan_function_fails_open", c_int, Handle, Size, Size,
)
epi_plan_function_proves = quick(
    "epi_plan_function_proves", c_int, Handle, Size, Size,
)
epi_plan_cost_ms = quick("epi_plan_cost_ms", c_double, Handle)
epi_plan_rtt_ms = quick("epi_plan_rtt_ms", c_double, Handle)
epi_plan_optimal = quick("epi_plan_optimal", c_int, Handle)

# ---- provision.h ----

EPI_PROVISION_SAME = 1
EPI_PROVISION_ADDED = 2
EPI_PROVISION_REMOVED = 3
EPI_PROVISION_CHANGED = 4

epi_provision_new = long(
    "epi_provision_new", c_int, Out, Handle, Handle, MaybeText, Handle,
)
epi_provision_free = long("epi_provision_free", None, Handle)
epi_provision_count = long("epi_provision_count", c_size_t, Handle)
epi_provision_proxy = long("epi_provision_proxy", c_char_p, Handle, Size)
epi_provision_function = long("epi_provision_function", c_char_p, Handle, Size)
epi_provision_image = long("epi_provision_image", c_char_p, Handle, Size)
epi_provision_options = long("epi_provision_options", c_char_p, Handle, Size)
epi_provision_flows = long("epi_provision_flows", c_size_t, Handle, Size)
epi_provision_instances = long(
    "epi_provision_instances", c_size_t, Handle, Size,
)
epi_provision_instances_before = long(
    "epi_provision_instances_before", c_size_t, Handle, Size,
)
epi_provision_change = long("epi_provision_change", c_int, Handle, Size)
epi_provision_change_name = long("epi_provision_change_name", c_char_p, Int)
epi_provision_write = long("epi_provision_write", c_int, Handle, Out)

# ---- review.h ----

EPI_FORM_TEXT = 1
EPI_FORM_JSON = 2
EPI_DIFF_NODES = 1024
EPI_DIFF_FLOWS = 1000000

epi_model_explain = long("epi_model_explain", c_int, Handle, Handle, Int, Out)
epi_model_diff = long("epi_model_diff", c_ssize_t, Handle, Handle, Int, Out)
epi_model_diff_flows = long(
    "epi_model_diff_flows", c_ssize_t, Handle, Handle, Out, Size, Int, Out,
)
epi_model_assert = long(
    "epi_model_assert", c_ssize_t, Handle, Handle, Bytes, Size, Int, Out,
)
epi_model_lint = long("epi_model_lint", c_ssize_t, Handle, Int, Out)

# ---- estimate.h ----

EPI_METHOD_DIRECT = 1
EPI_METHOD_REVERSE = 2
EPI_METHOD_SOCKS5 = 3
EPI_METHOD_SOCKS5_LOGIN = 4
EPI_METHOD_SOCKS6 = 5
EPI_METHOD_SOCKS6_EARLY = 6
EPI_METHOD_SOCKS6_WARM = 7
EPI_METHOD_SOCKS6_WARM_TFO = 8
EPI_ADVANTAGE_TIME = 1
EPI_ADVANTAGE_RATE = 2
EPI_ADVANTAGE_PORTS = 4
EPI_ADVANTAGE_RECONFIGURE = 8
EPI_ADVANTAGE_DYNAMIC = 16
EPI_ADVANTAGE_SECURITY = 32
EPI_FOR_LATENCY = 1
EPI_FOR_RATE = 2
EPI_FOR_BOTH = 3

epi_estimate_ms = quick(
    "epi_estimate_ms", c_double, Int, Double, Double, Double, Double,
)
epi_estimate_busy_ms = quick(
    "epi_estimate_busy_ms", c_double, Int, Double, Double, Double,
)
epi_method_name = quick("epi_method_name", c_char_p, Int)
epi_method_advantages = quick("epi_method_advantages", c_int, Int)
epi_advantage_text = quick("epi_advantage_text", c_char_p, Int)
epi_estimate_choose = quick(
    "epi_estimate_choose", c_int, Int, Int, Double, Double,
)
epi_estimate_place = quick(
    "epi_estimate_place", c_int, Int, Int, Double, Double, Double, Double,
)

# ---- socks.h ----

EPI_SOCKS5 = 5
EPI_SOCKS6 = 6
EPI_SOCKS6_12 = 612
EPI_SOCKSX = 600
EPI_NOOP = 0
EPI_CONNECT = 1
EPI_BIND = 2
EPI_UDP_ASSOCIATE = 3
EPI_REPLY_SUCCESS = 0
EPI_REPLY_FAILURE = 1
EPI_REPLY_NOT_ALLOWED = 2
EPI_REPLY_NETWORK_UNREACHABLE = 3
EPI_REPLY_HOST_UNREACHABLE = 4
EPI_REPLY_REFUSED = 5
EPI_REPLY_TTL_EXPIRED = 6
EPI_REPLY_NO_COMMAND = 7
EPI_REPLY_NO_ADDRESS_TYPE = 8
EPI_REPLY_TIMED_OUT = 9
EPI_LOGIN_MAX = 255
EPI_OPTIONS_MAX = 16384
EPI_OPTIONS_MAX_12 = 20480
EPI_INITIAL_DATA_MAX = 16384
EPI_METADATA_MAX = 64
EPI_METADATA_VALUE_MAX = 4096
EPI_META_APPLICATION = 1
EPI_META_LOCATION = 2
EPI_META_JOB = 3
EPI_META_CHAIN_INDEX = 998
EPI_META_CHAIN_LENGTH = 999
EPI_META_CHAIN_LINK = 1000
EPI_META_SOURCE = 2000
EPI_META_SOURCE_NODE = 2001
EPI_META_PURPOSE = 2002
EPI_META_DATASET = 2003
EPI_META_USER = 2004
EPI_META_RULE = 2005
EPI_META_MODEL = 2006
EPI_META_PLAN = 2007
EPI_META_PASSED = 2008
EPI_META_ISSUED = 2009
EPI_META_AUTHENTICATOR = 2010
EPI_META_REASON = 2011
EPI_META_TICKETS = 2012
EPI_META_PROOF = 2013
EPI_META_AUTHENTICATED = 2014

epi_request_new = quick("epi_request_new", c_int, Out)
epi_request_free = quick("epi_request_free", None, Handle)
epi_request_set_command = quick("epi_request_set_command", c_int, Handle, Int)
epi_request_command = quick("epi_request_command", c_int, Handle)
epi_request_set_dest = quick(
    "epi_request_set_dest", c_int, Handle, AddrPointer,
)
epi_request_dest = quick("epi_request_dest", AddrPointer, Handle)
epi_request_set_login = quick(
    "epi_request_set_login", c_int, Handle, MaybeText, MaybeText,
)
epi_request_user = quick("epi_request_user", c_char_p, Handle)
epi_request_password = quick("epi_request_password", c_char_p, Handle)
epi_request_set_metadata = quick(
    "epi_request_set_metadata", c_int, Handle, Int, MaybeText,
)
epi_request_metadata = quick("epi_request_metadata", c_char_p, Handle, Int)
epi_request_metadata_key = quick(
    "epi_request_metadata_key", c_int, Handle, Size,
)
epi_request_read = quick(
    "epi_request_read", c_ssize_t, Handle, Int, Bytes, Size,
)
epi_request_write = quick(
    "epi_request_write", c_ssize_t, Handle, Int, Bytes, Size,
)
epi_reply_new = quick("epi_reply_new", c_int, Out)
epi_reply_free = quick("epi_reply_free", None, Handle)
epi_reply_set_code = quick("epi_reply_set_code", c_int, Handle, Int)
epi_reply_code = quick("epi_reply_code", c_int, Handle)
epi_reply_set_bound = quick("epi_reply_set_bound", c_int, Handle, AddrPointer)
epi_reply_bound = quick("epi_reply_bound", AddrPointer, Handle)
epi_reply_set_metadata = quick(
    "epi_reply_set_metadata", c_int, Handle, Int, MaybeText,
)
epi_reply_metadata = quick("epi_reply_metadata", c_char_p, Handle, Int)
epi_reply_metadata_key = quick("epi_reply_metadata_key", c_int, Handle, Size)
epi_reply_read = quick("epi_reply_read", c_ssize_t, Handle, Int, Bytes, Size)
epi_reply_write = quick("epi_reply_write", c_ssize_t, Handle, Int, Bytes, Size)
epi_reply_text = quick("epi_reply_text", c_char_p, Int)

# ---- stack.h ----

EPI_STACK_TOS = 0x101
EPI_STACK_HAPPY_EYEBALLS = 0x102
EPI_STACK_TTL = 0x103
EPI_STACK_NO_FRAGMENT = 0x104
EPI_STACK_TFO = 0x401
EPI_STACK_MULTIPATH = 0x402
EPI_STACK_BACKLOG = 0x403
EPI_STACK_UDP_ERROR = 0x501
EPI_STACK_PORT_PARITY = 0x502
EPI_STACK_NO = 1
EPI_STACK_YES = 2
EPI_PARITY_ANY = 0x000
EPI_PARITY_EVEN = 0x100
EPI_PARITY_ODD = 0x200
EPI_PARITY_RESERVE = 0x001
EPI_LEG_CLIENT = 1
EPI_LEG_REMOTE = 2
EPI_LEG_BOTH = 3

epi_request_set_stack = quick(
    "epi_request_set_stack", c_int, Handle, Int, Int, Int,
)
epi_reply_set_stack = quick(
    "epi_reply_set_stack", c_int, Handle, Int, Int, Int,
)
epi_request_stack = quick("epi_request_stack", c_int, Handle, Int, Int)
epi_reply_stack = quick("epi_reply_stack", c_int, Handle, Int, Int)

# ---- auth.h ----

EPI_SESSION_ID_MAX = 256
EPI_AUTH_DATA_MAX = 8
EPI_TOKENS_MAX = 2147483647
EPI_SESSION_NONE = 0
EPI_SESSION_BEGIN = 1
EPI_SESSION_JOIN = 2
EPI_SESSION_END = 3
EPI_SESSION_OK = 1
EPI_SESSION_INVALID = 2
EPI_TOKEN_ACCEPTED = 1
EPI_TOKEN_REJECTED = 2
EPI_SESSIONS_MAX = 1
EPI_SESSIONS_PER_OWNER = 2
EPI_SESSIONS_IDLE_MS = 3
EPI_SESSIONS_TOKENS = 4

epi_request_offer_method = quick(
    "epi_request_offer_method", c_int, Handle, Int,
)
epi_request_offers_method = quick(
    "epi_request_offers_method", c_int, Handle, Int,
)
epi_request_set_initial_data = quick(
    "epi_request_set_initial_data", c_int, Handle, Size,
)
epi_request_initial_data = quick("epi_request_initial_data", c_size_t, Handle)
epi_request_set_auth_data = quick(
    "epi_request_set_auth_data", c_int, Handle, Int, Bytes, Size,
)
epi_request_auth_data = quick(
    "epi_request_auth_data", c_ssize_t, Handle, Int, Out,
)
epi_request_set_session = quick(
    "epi_request_set_session", c_int, Handle, Int, Bytes, Size,
)
epi_request_session = quick("epi_request_session", c_int, Handle)
epi_request_session_id = quick("epi_request_session_id", c_size_t, Handle, Out)
epi_request_set_token_window = quick(
    "epi_request_set_token_window", c_int, Handle, Int64,
)
epi_request_token_window = quick("epi_request_token_window", c_int64, Handle)
epi_request_set_token = quick("epi_request_set_token", c_int, Handle, Int64)
epi_request_token = quick("epi_request_token", c_int64, Handle)
epi_auth_reply_new = quick("epi_auth_reply_new", c_int, Out)
epi_auth_reply_free = quick("epi_auth_reply_free", None, Handle)
epi_auth_reply_set_ok = quick("epi_auth_reply_set_ok", c_int, Handle, Int)
epi_auth_reply_ok = quick("epi_auth_reply_ok", c_int, Handle)
epi_auth_reply_set_method = quick(
    "epi_auth_reply_set_method", c_int, Handle, Int,
)
epi_auth_reply_method = quick("epi_auth_reply_method", c_int, Handle)
epi_auth_reply_set_login = quick(
    "epi_auth_reply_set_login", c_int, Handle, Int,
)
epi_auth_reply_login = quick("epi_auth_reply_login", c_int, Handle)
epi_auth_reply_set_auth_data = quick(
    "epi_auth_reply_set_auth_data", c_int, Handle, Int, Bytes, Size,
)
epi_auth_reply_auth_data = quick(
    "epi_auth_reply_auth_data", c_ssize_t, Handle, Int, Out,
)
epi_auth_reply_set_session = quick(
    "epi_auth_reply_set_session", c_int, Handle, Int,
)
epi_auth_reply_session = quick("epi_auth_reply_session", c_int, Handle)
epi_auth_reply_set_session_id = quick(
    "epi_auth_reply_set_session_id", c_int, Handle, Bytes, Size,
)
epi_auth_reply_session_id = quick(
    "epi_auth_reply_session_id", c_size_t, Handle, Out,
)
epi_auth_reply_set_token_window = quick(
    "epi_auth_reply_set_token_window", c_int, Handle, Int64, Int64,
)
epi_auth_reply_token_window = quick(
    "epi_auth_reply_token_window", c_int64, Handle, Int64s,
)
epi_auth_reply_set_token = quick(
    "epi_auth_reply_set_token", c_int, Handle, Int,
)
epi_auth_reply_token = quick("epi_auth_reply_token", c_int, Handle)
epi_auth_reply_read = quick(
    "epi_auth_reply_read", c_ssize_t, Handle, Int, Bytes, Size,
)
epi_auth_reply_write = quick(
    "epi_auth_reply_write", c_ssize_t, Handle, Int, Bytes, Size,
)
epi_reply_set_session_id = quick(
    "epi_reply_set_session_id", c_int, Handle, Bytes, Size,
)
epi_reply_session_id = quick("epi_reply_session_id", c_size_t, Handle, Out)
epi_session_table_new = quick("epi_session_table_new", c_int, Out, Bytes, Size)
epi_session_table_free = quick("epi_session_table_free", None, Handle)
epi_session_table_set = quick(
    "epi_session_table_set", c_int, Handle, Int, Int64,
)
epi_session_table_on_lock = quick(
    "epi_session_table_on_lock", None, Handle, Callback(None, c_void_p),
    Callback(None, c_void_p), Bytes,
)
epi_session_table_expire = quick(
    "epi_session_table_expire", c_size_t, Handle, Int64,
)
epi_session_table_count = quick("epi_session_table_count", c_size_t, Handle)
epi_session_table_hold = quick("epi_session_table_hold", c_int, Handle, Int64)
epi_session_table_release = quick(
    "epi_session_table_release", None, Handle, Int64, Int64,
)

# ---- datagram.h ----

EPI_UDP_INIT = 1
EPI_UDP_CONFIRM = 2
EPI_UDP_DATAGRAM = 3
EPI_UDP_ERROR = 4
EPI_UDP_ERROR_NETWORK = 1
EPI_UDP_ERROR_HOST = 2
EPI_UDP_ERROR_TTL = 3
EPI_UDP_ERROR_TOO_BIG = 4
EPI_UDP_MESSAGE_MAX = 65535
EPI_UDP_HEADER_MAX = 276

epi_datagram_new = quick("epi_datagram_new", c_int, Out)
epi_datagram_free = quick("epi_datagram_free", None, Handle)
epi_datagram_set_type = quick("epi_datagram_set_type", c_int, Handle, Int)
epi_datagram_type = quick("epi_datagram_type", c_int, Handle)
epi_datagram_set_association = quick(
    "epi_datagram_set_association", None, Handle, UInt64,
)
epi_datagram_association = quick("epi_datagram_association", c_uint64, Handle)
epi_datagram_set_remote = quick(
    "epi_datagram_set_remote", c_int, Handle, AddrPointer,
)
epi_datagram_remote = quick("epi_datagram_remote", AddrPointer, Handle)
epi_datagram_set_data = quick(
    "epi_datagram_set_data", c_int, Handle, Bytes, Size,
)
epi_datagram_data = quick("epi_datagram_data", c_size_t, Handle, Out)
epi_datagram_fragment = quick("epi_datagram_fragment", c_int, Handle)
epi_datagram_set_error = quick(
    "epi_datagram_set_error", c_int, Handle, Int, AddrPointer,
)
epi_datagram_error = quick("epi_datagram_error", c_int, Handle, AddrPointers)
epi_datagram_read = quick(
    "epi_datagram_read", c_ssize_t, Handle, Int, Bytes, Size,
)
epi_datagram_write = quick(
    "epi_datagram_write", c_ssize_t, Handle, Int, Bytes, Size,
)
epi_datagram_write_header = quick(
    "epi_datagram_write_header", c_ssize_t, Handle, Int, Bytes, Size,
)

# ---- session.h ----

EPI_NEXT_READ = 1
EPI_NEXT_LOGIN = 2
EPI_NEXT_REPLY = 3
EPI_NEXT_DONE = 4
EPI_NEXT_REFUSED = 5
EPI_NEXT_FAILED = 6
EPI_ACCEPT_SOCKS5 = 1
EPI_ACCEPT_SOCKS6 = 2
EPI_ACCEPT_SOCKSX = 4

epi_session_new_server = quick(
    "epi_session_new_server", c_int, Out, Int, Int, Int,
)
epi_session_new_client = quick(
    "epi_session_new_client", c_int, Out, Int, Handle,
)
epi_session_free = quick("epi_session_free", None, Handle)
epi_session_feed = quick("epi_session_feed", c_ssize_t, Handle, Bytes, Size)
epi_session_peek = quick("epi_session_peek", c_ssize_t, Handle, Out)
epi_session_ack = quick("epi_session_ack", c_int, Handle, Size)
epi_session_next = quick("epi_session_next", c_int, Handle)
epi_session_version = quick("epi_session_version", c_int, Handle)
epi_session_may_send = quick("epi_session_may_send", c_int, Handle)
epi_session_request = quick("epi_session_request", c_void_p, Handle)
epi_session_login = quick("epi_session_login", c_int, Handle, Int)
epi_session_reply = quick("epi_session_reply", c_int, Handle, Handle)
epi_session_bind_whole = quick("epi_session_bind_whole", c_int, Handle)
epi_session_use_table = quick(
    "epi_session_use_table", c_int, Handle, Handle, Text, Int64,
)
epi_session_member = quick("epi_session_member", c_int64, Handle)
epi_session_auth = quick("epi_session_auth", c_void_p, Handle)
epi_session_initial_data = quick(
    "epi_session_initial_data", c_ssize_t, Handle, Out,
)
epi_session_result = quick("epi_session_result", c_void_p, Handle)
epi_session_replies = quick("epi_session_replies", c_int, Handle)

# ---- filter.h ----

EPI_FILTER_INTERFACE = 1
EPI_FORWARD = 0
EPI_BACKWARD = 1
EPI_PASS = 1
EPI_PIPE_MAX = (4 * 1024 * 1024)
EPI_FILTER_MEMORY = 1
EPI_FILTER_DEADLINE_MS = 2
EPI_FILTER_FAIL_OPEN = 3

epi_filter_new = long("epi_filter_new", c_int, Out, Text)
epi_filter_ref = quick("epi_filter_ref", c_void_p, Handle)
epi_filter_free = long("epi_filter_free", None, Handle)
epi_filter_name = quick("epi_filter_name", c_char_p, Handle)
epi_filter_on_open = long(
    "epi_filter_on_open", None, Handle, Callback(c_int, c_void_p, c_void_p),
    Bytes,
)
epi_filter_on_data = long(
    "epi_filter_on_data", None, Handle,
    Callback(c_int, c_void_p, c_int, c_void_p, c_size_t, c_void_p), Bytes,
)
epi_filter_on_end = long(
    "epi_filter_on_end", None, Handle,
    Callback(c_int, c_void_p, c_int, c_void_p), Bytes,
)
epi_filter_on_close = long(
    "epi_filter_on_close", None, Handle, Callback(None, c_void_p, c_void_p),
    Bytes,
)
epi_filter_on_timer = long(
    "epi_filter_on_timer", None, Handle, Callback(c_int, c_void_p, c_void_p),
    Bytes,
)
epi_filter_set = long("epi_filter_set", c_int, Handle, Int, Int64)
epi_filter_on_free = long(
    "epi_filter_on_free", None, Handle, Callback(None, c_void_p), Bytes,
)
epi_pipe_write = long("epi_pipe_write", c_int, Handle, Int, Bytes, Size)
epi_pipe_pause = quick("epi_pipe_pause", None, Handle, Int, Int)
epi_pipe_set_state = quick("epi_pipe_set_state", None, Handle, Bytes)
epi_pipe_state = quick("epi_pipe_state", c_void_p, Handle)
epi_pipe_note = quick("epi_pipe_note", None, Handle, Text)
epi_pipe_refuse = quick("epi_pipe_refuse", c_int, Handle, Text)
epi_pipe_hold = quick("epi_pipe_hold", c_int, Handle, Int64)
epi_pipe_set_timer = quick("epi_pipe_set_timer", c_int, Handle, Int64)
epi_pipe_now_ms = quick("epi_pipe_now_ms", c_int64, Handle)
epi_pipe_wall_time = quick("epi_pipe_wall_time", c_int64, Handle)
epi_pipe_source = quick("epi_pipe_source", AddrPointer, Handle)
epi_pipe_dest = quick("epi_pipe_dest", AddrPointer, Handle)
epi_pipe_user = quick("epi_pipe_user", c_char_p, Handle)
epi_pipe_metadata = quick("epi_pipe_metadata", c_char_p, Handle, Int)
epi_pipe_set_metadata = quick(
    "epi_pipe_set_metadata", c_int, Handle, Int, MaybeText,
)
epi_pipe_flow = quick("epi_pipe_flow", c_void_p, Handle)

# ---- redirect.h ----

EPI_BACKEND_NFTABLES = 1
EPI_BACKEND_IPTABLES = 2
EPI_MARK = 0x657069

epi_redirect_new = quick("epi_redirect_new", c_int, Out, Int)
epi_redirect_free = quick("epi_redirect_free", None, Handle)
epi_redirect_add_port = quick("epi_redirect_add_port", c_int, Handle, Int)
epi_redirect_add_range = quick("epi_redirect_add_range", c_int, Handle, Text)
epi_redirect_except = quick("epi_redirect_except", c_int, Handle, AddrPointer)
epi_redirect_except_uid = quick(
    "epi_redirect_except_uid", c_int, Handle, Int64,
)
epi_redirect_set_loopback = quick(
    "epi_redirect_set_loopback", None, Handle, Int,
)
epi_redirect_render = quick(
    "epi_redirect_render", c_int, Handle, Int, Int, Out,
)
epi_redirect_apply = long("epi_redirect_apply", c_int, Handle, Int)
epi_redirect_remove = long("epi_redirect_remove", c_int, Int)
epi_redirect_present = long("epi_redirect_present", c_int, Int)

# ---- tls.h ----

EPI_TLS_EARLY_DATA = 1
EPI_TLS_AES_HARDWARE = 2
EPI_TLS_DTLS13 = 3

epi_tls_has = quick("epi_tls_has", c_int, Int)
epi_tls_library = quick("epi_tls_library", c_char_p)

# ---- users.h ----

epi_users_set = long("epi_users_set", c_int, Text, Text, Text)
epi_users_remove = long("epi_users_remove", c_int, Text, Text)

# ---- audit.h ----

EPI_AUDIT_KEY_MIN = 16
EPI_AUDIT_KEY_MAX = 1024
EPI_AUDIT_LINE_MAX = 262144
EPI_AUDIT_LINES = 1
EPI_AUDIT_FIRST = 2
EPI_AUDIT_LAST = 3
EPI_AUDIT_FIRST_TIME = 1
EPI_AUDIT_LAST_TIME = 2
EPI_AUDIT_MAC = 3

epi_audit_new = quick("epi_audit_new", c_int, Out, Bytes, Size)
epi_audit_free = quick("epi_audit_free", None, Handle)
epi_audit_feed = quick("epi_audit_feed", c_int, Handle, Bytes, Size)
epi_audit_end = quick("epi_audit_end", c_int, Handle)
epi_audit_broken_line = quick("epi_audit_broken_line", c_int64, Handle)
epi_audit_number = quick("epi_audit_number", c_int64, Handle, Int)
epi_audit_text = quick("epi_audit_text", c_char_p, Handle, Int)

# ---- sandbox.h ----

EPI_SANDBOX_CAPABILITIES = 1
EPI_SANDBOX_NO_GAIN = 2
EPI_SANDBOX_NO_DUMP = 4
EPI_SANDBOX_FILES = 8
EPI_SANDBOX_CALLS = 16
EPI_SANDBOX_ALL = 31
EPI_SANDBOX_KEEP_MARKS = 1
EPI_SANDBOX_KEEP_LOW_PORTS = 2
EPI_SANDBOX_KEEP_REDIRECT = 4
EPI_SANDBOX_KEEP_PROGRAMS = 8
EPI_SANDBOX_READ = 1
EPI_SANDBOX_WRITE = 2

epi_sandbox_new = quick("epi_sandbox_new", c_int, Out)
epi_sandbox_free = quick("epi_sandbox_free", None, Handle)
epi_sandbox_set_parts = quick("epi_sandbox_set_parts", c_int, Handle, Int, Int)
epi_sandbox_parse = quick("epi_sandbox_parse", c_int, Handle, Text)
epi_sandbox_keep = quick("epi_sandbox_keep", c_int, Handle, Int)
epi_sandbox_set_user = quick("epi_sandbox_set_user", c_int, Handle, Text)
epi_sandbox_allow = quick("epi_sandbox_allow", c_int, Handle, Text, Int)
epi_sandbox_allow_filter = quick(
    "epi_sandbox_allow_filter", c_int, Handle, Text,
)
epi_sandbox_enter = quick("epi_sandbox_enter", c_int, Handle)
epi_sandbox_active = quick("epi_sandbox_active", c_int, Handle)
epi_sandbox_text = quick("epi_sandbox_text", c_char_p, Handle)

# ---- parameters.h ----

EPI_ENGINE_WORKERS = 1
EPI_ENGINE_LIMIT = 2
EPI_ENGINE_HANDSHAKE_MS = 3
EPI_ENGINE_CONNECT_MS = 4
EPI_ENGINE_IDLE_MS = 5
EPI_ENGINE_HALF_CLOSED_MS = 6
EPI_ENGINE_BUFFER = 7
EPI_ENGINE_MARK = 8
EPI_ENGINE_SESSIONS = 9
EPI_ENGINE_SESSIONS_PER_OWNER = 10
EPI_ENGINE_SESSION_IDLE_MS = 11
EPI_ENGINE_TOKENS = 12
EPI_ENGINE_HAPPY_EYEBALLS = 13
EPI_ENGINE_UDP_IDLE_MS = 14
EPI_ENGINE_ASSOCIATIONS = 15
EPI_ENGINE_CLIENT_ASSOCIATIONS = 16
EPI_ENGINE_BIND_MS = 17
EPI_ENGINE_CLIENT_BINDS = 18
EPI_ENGINE_BIND_PORT_MIN = 19
EPI_ENGINE_BIND_PORT_MAX = 20
EPI_ENGINE_WARM = 21
EPI_ENGINE_WARM_IDLE_MS = 22
EPI_ENGINE_TUBE = 23
EPI_ENGINE_PROVISION_MS = 24
EPI_ENGINE_PROVISION_FLOWS = 25
EPI_ENGINE_INSTANCE_IDLE_MS = 26
EPI_ENGINE_HEALTH_MS = 27
EPI_ENGINE_FAST_OPEN = 28
EPI_ENGINE_NAMES = 29
EPI_ENGINE_CLIENT_CONNECTIONS = 30
EPI_ENGINE_CLIENT_FLOWS = 31
EPI_ENGINE_USER_FLOWS = 32
EPI_ENGINE_FLOW_BYTES_OUT = 33
EPI_ENGINE_FLOW_BYTES_BACK = 34
EPI_ENGINE_FLOW_RATE_OUT = 35
EPI_ENGINE_FLOW_RATE_BACK = 36
EPI_ENGINE_LOG_LEVEL = 37
EPI_ENGINE_AUDIT_HEAD_MS = 38
EPI_ENGINE_LOG_LINES = 39
EPI_ENGINE_LOGIN_FAILURES = 40
EPI_ENGINE_LOGIN_WINDOW_MS = 41
EPI_ENGINE_LOGIN_PAUSE_MS = 42
EPI_ENGINE_LOGIN_THREADS = 43
EPI_ENGINE_MEMORY = 44

epi_engine_set = long("epi_engine_set", c_int, Handle, Int, Int64)
epi_engine_bounds = long(
    "epi_engine_bounds", c_int, Handle, Int, Int64s, Int64s, Int64s,
)

# ---- engine.h ----

EPI_FUNCTION_KEY = 32
EPI_AUDIT_REFUSE = 1
EPI_AUDIT_IGNORE = 2
EPI_LOG_ERROR = 1
EPI_LOG_NOTE = 2
EPI_LOG_DEBUG = 3
EPI_COUNT_OPEN = 1
EPI_COUNT_ALLOWED = 2
EPI_COUNT_REFUSED = 3
EPI_COUNT_FAILED = 4
EPI_COUNT_BUFFERED = 5
EPI_SERVICE_READY = 1
EPI_SERVICE_RELOADING = 2
EPI_SERVICE_STOPPING = 3

epi_engine_new = long("epi_engine_new", c_int, Out)
epi_engine_free = long("epi_engine_free", None, Handle)
epi_engine_sandbox = long("epi_engine_sandbox", c_int, Handle, Handle)
epi_engine_listen = long("epi_engine_listen", c_int, Handle, Text)
epi_engine_unlisten = long("epi_engine_unlisten", c_int, Handle, Text)
epi_engine_relisten = long("epi_engine_relisten", c_int, Handle, Text, Text)
epi_engine_adopt_socket = long("epi_engine_adopt_socket", c_int, Handle, Int)
epi_engine_socket = long("epi_engine_socket", c_int, Handle, Size)
epi_engine_reload_users = long("epi_engine_reload_users", c_int, Handle)
epi_engine_listener_addr = long(
    "epi_engine_listener_addr", c_int, Handle, Size, AddrPointer,
)
epi_engine_listener_url = long(
    "epi_engine_listener_url", c_int, Handle, Size, Out,
)
epi_engine_add_hop = long("epi_engine_add_hop", c_int, Handle, Text)
epi_engine_set_tls = long("epi_engine_set_tls", c_int, Handle, Text, MaybeText)
epi_engine_reload_tls = long("epi_engine_reload_tls", c_int, Handle, Int)
epi_engine_add_filter = long("epi_engine_add_filter", c_int, Handle, Handle)
epi_filter_new_builtin = long(
    "epi_filter_new_builtin", c_int, Out, Text, Bytes, Size,
)
epi_filter_new_from_file = long("epi_filter_new_from_file", c_int, Out, Text)
epi_engine_set_filter_path = long(
    "epi_engine_set_filter_path", c_int, Handle, MaybeText,
)
epi_engine_set_model = long("epi_engine_set_model", c_int, Handle, Handle)
epi_engine_set_name = long("epi_engine_set_name", c_int, Handle, MaybeText)
epi_engine_set_chain_key = long(
    "epi_engine_set_chain_key", c_int, Handle, Bytes, Size,
)
epi_function_key = long("epi_function_key", c_int, Bytes, Bytes, Size, Text)
epi_engine_set_function = long(
    "epi_engine_set_function", c_int, Handle, Text, Bytes,
)
epi_engine_set_audit = long(
    "epi_engine_set_audit", c_int, Handle, Text, Bytes, Size, Int,
)
epi_engine_audit_head = long("epi_engine_audit_head", c_int, Handle)
epi_engine_move_audit = long("epi_engine_move_audit", c_int, Handle, Text)
epi_engine_set_metadata = long(
    "epi_engine_set_metadata", c_int, Handle, Int, MaybeText,
)
epi_engine_set_dns = long("epi_engine_set_dns", c_int, Handle, AddrPointer)
epi_engine_on_log = long(
    "epi_engine_on_log", None, Handle,
    Callback(None, c_int, c_char_p, c_void_p), Bytes,
)
epi_engine_start = long("epi_engine_start", c_int, Handle)
epi_engine_drain = long("epi_engine_drain", c_int, Handle, Int64)
epi_engine_has_drained = quick("epi_engine_has_drained", c_int, Handle)
epi_engine_stop = long("epi_engine_stop", None, Handle)
epi_engine_count = quick("epi_engine_count", c_int64, Handle, Int)
epi_engine_instances = long("epi_engine_instances", c_int, Handle, Out)
epi_model_read_file = long("epi_model_read_file", c_int, Out, Handle, Text)
epi_endpoint_wait = long("epi_endpoint_wait", c_int, Text, Int64)
epi_service_tell = long("epi_service_tell", c_int, Int)
epi_service_pass_on = long("epi_service_pass_on", c_int, Int64)
epi_flow_source = quick("epi_flow_source", AddrPointer, Handle)
epi_flow_dest = quick("epi_flow_dest", AddrPointer, Handle)
epi_flow_user = quick("epi_flow_user", c_char_p, Handle)
epi_flow_metadata = quick("epi_flow_metadata", c_char_p, Handle, Int)
epi_flow_decision = quick("epi_flow_decision", c_void_p, Handle)

# ---- instance.h ----

epi_engine_on_start_instance = long(
    "epi_engine_on_start_instance", c_int, Handle,
    Callback(None, c_int64, c_char_p, c_char_p, c_char_p, c_void_p), Bytes,
)
epi_engine_on_stop_instance = long(
    "epi_engine_on_stop_instance", c_int, Handle,
    Callback(None, c_int64, c_char_p, c_char_p, c_void_p), Bytes,
)
epi_engine_instance_ready = long(
    "epi_engine_instance_ready", c_int, Handle, Int64, Text,
)
epi_engine_instance_failed = long(
    "epi_engine_instance_failed", c_int, Handle, Int64, Text,
)
epi_engine_set_provision_command = long(
    "epi_engine_set_provision_command", c_int, Handle, MaybeText,
)

# ---- sight.h ----

EPI_METRICS_PROMETHEUS = 1
EPI_METRICS_OPEN = 2

epi_engine_metrics = long("epi_engine_metrics", c_int, Handle, Int, Out)
epi_engine_serve_status = long(
    "epi_engine_serve_status", c_int, Handle, MaybeText,
)
epi_engine_status_addr = long(
    "epi_engine_status_addr", c_int, Handle, AddrPointer,
)

# ---- control.h ----

EPI_CONTROL_MS = 5000
EPI_CONTROL_FLOWS = 1000
EPI_REASON_MAX = 200
EPI_MATCH_FLOW = 1
EPI_MATCH_SOURCE = 2
EPI_MATCH_DEST = 3
EPI_MATCH_ADDRESS = 4
EPI_MATCH_RULE = 5
EPI_MATCH_USER = 6
EPI_MATCH_APPLICATION = 7

epi_match_new = long("epi_match_new", c_int, Out)
epi_match_free = long("epi_match_free", None, Handle)
epi_match_set = long("epi_match_set", c_int, Handle, Int, MaybeText)
epi_engine_flows = long(
    "epi_engine_flows", c_int, Handle, Handle, Int64, Size, Out,
)
epi_engine_explain = long("epi_engine_explain", c_int, Handle, Int64, Out)
epi_engine_kill = long("epi_engine_kill", c_ssize_t, Handle, Handle, Text)
epi_engine_plan = long("epi_engine_plan", c_int, Handle, Handle, Size, Out)
epi_engine_model = long("epi_engine_model", c_void_p, Handle)

# ---- admin.h ----

epi_engine_serve_admin = long(
    "epi_engine_serve_admin", c_int, Handle, MaybeText,
)
epi_engine_on_reload = long(
    "epi_engine_on_reload", None, Handle, Callback(None, c_void_p), Bytes,
)
epi_admin_ask = long(
    "epi_admin_ask", c_int, Text, Text, Int64, Int, Handle, Out,
)
