"""Timers and counters of matching, by the standard's names: ISO 15118-3 table 3 and table A.1 [K], compared with libslac, pyslac and the test
suites of ISO 15118-5 in public [S]. TT: how long is waited; TP: how long one may take.

A pair is the least and the most; what this machine takes of it is the machine's option.
"""

# ---- ISO 15118-3 table 3: around matching

C_CONN_MAX_MATCH = 3
"""How often matching is tried again, at least."""
C_EVSE_MATCH_PARALLEL = 5
"""How many matchings at once an EVSE has to take."""
C_EV_VALD_NB_TOGGLES = (1, 3)
"""BCB toggles of one validation."""
C_SEQU_RETRY = 2
"""How often E or F is shown to a vehicle that does not match (V2G3-M06-07)."""
T_CONN_MAX_COMM_S = 8.0
"""From plugging in to being ready for matching."""
T_CONN_RESETUP_S = 15.0
"""After a lost link matching starts again within this."""
T_STEP_EF_S = 4.0
"""E or F is shown so long, at least."""
T_STEP_X1_S = 3.0
"""X1 is shown so long before another duty, at least (IEC 61851-1)."""
T_VALD_DETECT_TIME_S = 0.2
"""An EVSE sees a change of the pilot within this."""
TP_EV_VALD_STATE_DURATION_S = (0.2, 0.4)
"""Each B and each C of a BCB toggle."""
TP_EV_VALD_TOGGLE_S = (0.6, 3.5)
"""All toggles of one validation."""
TP_MATCH_LEAVE_S = 1.0
"""The logical network is left within this."""
TT_EVSE_VALD_TOGGLE_S = 3.5
"""Toggles are looked for no longer, whatever CM_VALIDATE.REQ asks for."""

# ---- ISO 15118-3 table A.1: inside of it

C_EV_MATCH_MNBC = 10
"""Sounds."""
C_EV_MATCH_RETRY = 2
"""How often a message is repeated that nobody answers: three are sent."""
C_EV_START_ATTEN_CHAR_INDS = 3
C_EV_MATCH_SIGNALATTN_DIRECT_DB = 10.0
"""Mean attenuation up to which an EVSE is the right one without asking further."""
C_EV_MATCH_SIGNALATTN_INDIRECT_DB = 20.0
"""Mean attenuation up to which it may be, and is validated."""
TP_AMP_MAP_EXCHANGE_S = 0.1
TP_EV_BATCH_MSG_INTERVAL_S = (0.02, 0.05)
"""Between two START_ATTEN_CHAR or two sounds."""
TP_EV_MATCH_SESSION_S = 0.5
"""A vehicle sends MATCH.REQ or VALIDATE.REQ within this after ATTEN_CHAR.RSP."""
TP_EV_SLAC_INIT_S = 10.0
"""A vehicle begins within this after plugging in or waking up."""
TP_EVSE_AVG_ATTEN_CALC_S = 0.1
"""ATTEN_CHAR.IND follows the last sound, or the end of TT_EVSE_MATCH_MNBC, within this."""
TP_MATCH_RESPONSE_S = 0.1
"""An answer is sent within this."""
TP_MATCH_SEQUENCE_S = 0.1
"""The next request follows an answer within this."""
TT_AMP_MAP_EXCHANGE_S = 0.2
"""After the link is up an amplitude map is waited for so long."""
TT_EV_ATTEN_RESULTS_S = 1.2
"""From the first START_ATTEN_CHAR a vehicle takes ATTEN_CHAR.IND so long."""
TT_EVSE_MATCH_MNBC_S = 0.6
"""From the first START_ATTEN_CHAR an EVSE takes sounds so long."""
TT_EVSE_MATCH_SESSION_S = 10.0
"""After the sounds an EVSE waits so long for VALIDATE.REQ or MATCH.REQ."""
TT_EVSE_SLAC_INIT_S = (20.0, 50.0)
"""From B with 5 % an EVSE waits so long for PARM.REQ."""
TT_MATCH_JOIN_S = 12.0
"""The link is up within this after MATCH.CNF."""
TT_MATCH_RESPONSE_S = 0.2
"""An answer is waited for so long."""
TT_MATCH_SEQUENCE_S = 0.4
"""The other side's next request is waited for so long."""
TT_MATCHING_RATE_S = 0.4
"""So long after a failed matching the next one begins."""
TT_MATCHING_REPETITION_S = 10.0
"""So long failed matchings are begun again."""
