"""What must hold between the rows of a store, as questions to SQLite: each answers with what breaks it.

The schema's own CHECKs hold each row for itself; here rows are held against each other, so that a single changed
number is found by what it no longer adds up with. Every question is one statement, and so one moment of a store that is
being written. The hard part is to ask only for what the kernels promise (``edge/domain/canteen/orders.py``,
``refunds.py``, ``purses.py``, ``edge/domain/garage/charging_*``): a false alarm here would teach people not to look.
"""

from __future__ import annotations

from edge.storage.verify_rule import Rule
from edge.storage.verify_rules_gym import GYM

#: Rows with a seq of the log, by store: none can be ahead of it.
SEQ_COLUMNS = {
    "canteen": (("orders", "seq"), ("purse_entry", "seq"), ("audit", "seq"), ("set_aside", "seq"), ("snapshot", "seq")),
    "garage": (
        ("audit", "seq"), ("cut_record", "seq"), ("alarm_event", "seq"), ("zone_cause", "seq"), ("access_event", "seq"),
        ("set_aside", "seq"), ("snapshot", "seq"),
    ),
    "gym": (
        ("audit", "seq"), ("alarm_event", "seq"), ("vitals", "seq"), ("heart_alarm", "seq"), ("work_order_step", "seq"),
        ("inspection", "seq"), ("set_aside", "seq"), ("snapshot", "seq"),
    ),
}  # fmt: skip

_CANTEEN = (
    Rule(
        "the lines of an order add up to it",
        """SELECT o.order_id || ': order ' || o.list_fen || '/' || o.subsidy_fen || '/' || o.payable_fen || ', lines '
            || ifnull(l.list_fen, 0) || '/' || ifnull(l.subsidy_fen, 0) || '/' || ifnull(l.payable_fen, 0)
        FROM orders o LEFT JOIN (SELECT order_id, sum(list_fen) list_fen, sum(subsidy_fen) subsidy_fen,
            sum(payable_fen) payable_fen FROM order_line GROUP BY order_id) l USING (order_id)
        WHERE (o.list_fen, o.subsidy_fen, o.payable_fen) IS NOT (l.list_fen, l.subsidy_fen, l.payable_fen)""",
    ),
    Rule(
        "a line is the sum of its steps",
        """SELECT order_id || ' line ' || line_no || ': ' || payable_fen || ' fen, steps ' || fen_json FROM order_line
        WHERE payable_fen <> (SELECT sum(value) FROM json_each(fen_json))
            OR list_fen <> json_extract(fen_json, '$[0]')""",
    ),
    Rule(
        "an order is the sum of its steps",
        """SELECT o.order_id || ': order ' || o.payable_fen || ', steps ' || ifnull(s.fen, 0)
        FROM orders o LEFT JOIN (SELECT order_id, sum(fen) fen FROM order_step GROUP BY order_id) s USING (order_id)
        WHERE o.payable_fen IS NOT s.fen""",
    ),
    Rule(
        "an order has one payment of its amount",
        """SELECT o.order_id || ': order ' || o.payable_fen || ', paid ' || ifnull(p.fen, 'nothing')
        FROM orders o LEFT JOIN payment p ON p.order_id = o.order_id AND p.business_day = o.business_day
        WHERE o.payable_fen IS NOT p.fen OR (p.method = 'purse' AND p.member IS NOT o.member)
        UNION ALL SELECT order_id || ': a payment without its order' FROM payment p
        WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.order_id = p.order_id AND o.business_day = p.business_day)""",
    ),
    Rule(
        "lines and steps belong to an order of their day",
        """SELECT order_id || ' line ' || line_no || ': no such order on ' || business_day FROM order_line l
        WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.order_id = l.order_id AND o.business_day = l.business_day)
        UNION ALL SELECT order_id || ' step ' || step_no || ': no such order on ' || business_day FROM order_step s
        WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.order_id = s.order_id AND o.business_day = s.business_day)""",
    ),
    Rule(
        "what was given back is what the slips say",
        """SELECT o.order_id || ': ' || o.refunded_fen || ' fen given back, slips ' || ifnull(r.fen, 0)
            || ', lines ' || ifnull(l.fen, 0)
        FROM orders o
        LEFT JOIN (SELECT order_id, sum(paid_fen) fen FROM refund GROUP BY order_id) r USING (order_id)
        LEFT JOIN (SELECT order_id, sum(payable_fen) fen, count(*) n FROM order_line WHERE refunded = 1
            GROUP BY order_id) l USING (order_id)
        WHERE o.refunded_fen <> ifnull(r.fen, 0) OR o.refunded_fen <> ifnull(l.fen, 0)
            OR (o.status = 'paid') <> (ifnull(l.n, 0) = 0)""",
    ),
    Rule(
        "a plate filling is sold at most once",
        """SELECT l.order_id || ' line ' || l.line_no || ': plate ' || l.plate_uid || ' filling ' || l.fill_epoch
            || ' is claimed by ' || ifnull(c.order_id, 'nobody')
        FROM order_line l JOIN orders o USING (order_id)
        LEFT JOIN claim c ON c.plate_uid = l.plate_uid AND c.fill_epoch = l.fill_epoch
        WHERE o.status <> 'voided' AND c.order_id IS NOT l.order_id
        UNION ALL SELECT plate_uid || ' filling ' || fill_epoch || ': claimed by ' || order_id || ', without a line'
        FROM claim c WHERE order_id <> '' AND NOT EXISTS (SELECT 1 FROM order_line l
            WHERE l.order_id = c.order_id AND l.plate_uid = c.plate_uid AND l.fill_epoch = c.fill_epoch)""",
    ),
    Rule(
        "a purse is the sum of its movements",
        """SELECT member || ': balance ' || ifnull(p.balance_fen, 'none') || ', movements ' || ifnull(e.fen, 0)
        FROM (SELECT member FROM purse UNION SELECT member FROM purse_entry) LEFT JOIN purse p USING (member)
        LEFT JOIN (SELECT member, sum(fen) fen FROM purse_entry GROUP BY member) e USING (member)
        WHERE p.balance_fen IS NOT ifnull(e.fen, 0)""",
    ),
    Rule(
        "each movement of a purse follows the one before",
        """SELECT member || ' input ' || seq || ': ' || fen || ' fen gave ' || balance_fen || ', not ' || (before + fen)
        FROM (SELECT member, seq, fen, balance_fen, ifnull(lag(balance_fen) OVER (PARTITION BY member ORDER BY seq), 0)
            before FROM purse_entry) WHERE before + fen <> balance_fen""",
    ),
    Rule(
        "what a purse paid for exists",
        """SELECT e.member || ' input ' || e.seq || ': pays order ' || e.ref || ', not theirs or not its price'
        FROM purse_entry e LEFT JOIN payment p ON p.order_id = e.ref AND p.method = 'purse'
        WHERE e.kind = 'pay' AND (p.member, p.fen) IS NOT (e.member, -e.fen)
        UNION ALL SELECT p.order_id || ': paid from the purse of ' || p.member || ', which says nothing of it'
        FROM payment p WHERE p.method = 'purse' AND NOT EXISTS (
            SELECT 1 FROM purse_entry e WHERE e.kind = 'pay' AND e.member = p.member AND e.ref = p.order_id)
        UNION ALL SELECT c.session_id || ': charged ' || c.fen || ' fen, the purse of ' || c.member || ' says '
            || ifnull(-e.fen, 'nothing')
        FROM session_charge c LEFT JOIN purse_entry e
            ON e.kind = 'charge' AND e.member = c.member AND e.ref = c.session_id
        WHERE c.fen IS NOT -e.fen""",
    ),
    Rule(
        "the totals of a day are those of its orders",
        """SELECT d.day || ': day ' || d.orders || '/' || d.paid_fen || '/' || d.cash_fen || '/' || d.plates_sold
            || ', orders ' || ifnull(o.n, 0) || '/' || ifnull(o.fen, 0) || '/' || ifnull(p.fen, 0) || '/'
            || ifnull(l.n, 0)
        FROM business_day d
        LEFT JOIN (SELECT business_day day, count(*) n, sum(payable_fen) fen, sum(subsidy_fen) subsidy,
            sum(discount_fen) discount FROM orders GROUP BY business_day) o USING (day)
        LEFT JOIN (SELECT business_day day, sum(fen) fen FROM payment WHERE method = 'cash' GROUP BY business_day) p
            USING (day)
        LEFT JOIN (SELECT business_day day, count(*) n FROM order_line GROUP BY business_day) l USING (day)
        LEFT JOIN (SELECT business_day day, sum(paid_fen) fen FROM refund GROUP BY business_day) r USING (day)
        WHERE (d.orders, d.paid_fen, d.subsidy_fen, d.discount_fen, d.cash_fen, d.plates_sold, d.refunded_fen)
            <> (ifnull(o.n, 0), ifnull(o.fen, 0), -ifnull(o.subsidy, 0), -ifnull(o.discount, 0), ifnull(p.fen, 0),
                ifnull(l.n, 0), ifnull(r.fen, 0))""",
    ),
)

_GARAGE = (
    Rule(
        "a charge that is posted is that of a session",
        """SELECT b.session_id || ': ' || b.fen || ' fen posted, the session cost ' || ifnull(s.cost_fen, 'nothing')
        FROM charge_outbox b LEFT JOIN charging_session s USING (session_id)
        WHERE s.cost_fen IS NOT b.fen OR s.state <> 'ended'""",
    ),
    Rule(
        "an open port charges a session that is not ended",
        """SELECT p.port || ': charges session ' || p.session_id || ', which is ' || ifnull(s.state, 'unknown')
        FROM port_charging p LEFT JOIN charging_session s USING (session_id)
        WHERE p.open = 1 AND ifnull(s.state, '') NOT IN ('waiting', 'charging')""",
    ),
    Rule(
        "a latched zone has its cause",
        """SELECT zone || ': ' || mode || ' without a cause of trip ' || trips FROM zone z
        WHERE mode IN ('latched', 'latched_fire', 'resettable', 'resettable_fire') AND NOT EXISTS (
            SELECT 1 FROM zone_cause c WHERE c.zone = z.zone AND c.trip = z.trips)""",
        "walk to the zone, see that it is safe, and reset it on site; then restore the last backup",
    ),
    Rule(
        "an alarm that stands has its history",
        """SELECT alarm_id || ': stands, and no event tells of it' FROM alarm a WHERE standing = 1
            AND NOT EXISTS (SELECT 1 FROM alarm_event e WHERE e.alarm_id = a.alarm_id)""",
        "acknowledge the alarm and look after its cause; the history before is in the backup",
    ),
)

RULES = {"canteen": _CANTEEN, "garage": _GARAGE, "gym": GYM}
