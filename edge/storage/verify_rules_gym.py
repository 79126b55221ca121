"""What must hold between the gym's rows, as questions to SQLite (``verify_rules``).

The hard part is to ask only for what the kernel promises whatever happens: kills, clocks that step, machines that the
site no longer has (``tests/storage/test_verify_gym.py`` asks after long random histories). A user would notice a
mistake as a treadmill that is locked out in one list and free in another, or as a workout with a stranger's pulse.
"""

from __future__ import annotations

from edge.storage.verify_rule import Rule

BACKUP = "stop the daemon, keep a copy, restore the last backup"
LOCKED = "lock the machine out on its page, look at it, and let it return by a test; then restore the last backup"
PRIVATE = "stop the daemon, keep a copy, and ask who wrote into the file; restore the last backup"

GYM = (
    Rule(
        "a workout is open, ended or dropped, with all that belongs to it",
        """SELECT workout_id || ': ' || state || ', standing ' || standing || ', ended ' || ended_ns FROM workout
        WHERE standing <> (state = 'open') OR (state = 'open') <> (ended_ns = 0)
            OR (state = 'open') = (length(body) = 0) OR (state <> 'open' AND (reason = '' OR ended_ns < began_ns))""",
        BACKUP,
    ),
    Rule(
        "a machine has one workout under way",
        """SELECT asset || ': ' || group_concat(workout_id, ', ') FROM workout WHERE standing = 1
        GROUP BY asset HAVING count(*) > 1""",
        BACKUP,
    ),
    Rule(
        "a workout is not busier than it is long",
        """SELECT workout_id || ': ' || (active_ms - filled_ms) || ' ms of motion seen within '
            || ((ended_ns - began_ns) / 1000000) FROM workout
        WHERE state <> 'open' AND active_ms - filled_ms > (ended_ns - began_ns) / 1000000 + 2000""",
        BACKUP,
    ),
    Rule(
        "the peaks of a workout are not below its means",
        """SELECT workout_id || ': ' || mean_bpm || ' bpm, at most ' || peak_bpm || '; ' || ifnull(mean_power_w, 0)
            || ' W, at most ' || peak_power_w FROM workout
        WHERE mean_bpm > peak_bpm + 0.1 OR mean_power_w > peak_power_w + 0.1""",
        BACKUP,
    ),
    Rule(
        "a pulse belongs to a workout and ends with it",
        """SELECT p.workout_id || ' from second ' || p.from_s || ': ' || ifnull(w.state, 'no such workout')
        FROM pulse p LEFT JOIN workout w USING (workout_id)
        WHERE w.workout_id IS NULL OR p.from_s < 0 OR (w.state <> 'open'
            AND p.from_s > (w.ended_ns - w.began_ns) / 1000000000 + 2)""",
        PRIVATE,
    ),
    Rule(
        "what a heart alarm tells of is a workout of that machine and person",
        """SELECT h.workout_id || ' at input ' || h.seq || ': ' || h.person || ' on ' || h.asset || ', workout of '
            || ifnull(w.person, 'nobody known') || ' on ' || ifnull(w.asset, 'nothing')
        FROM heart_alarm h LEFT JOIN workout w USING (workout_id)
        WHERE h.workout_id <> '' AND (w.asset IS NOT h.asset OR (h.person <> '' AND w.person IS NOT h.person))""",
        PRIVATE,
    ),
    Rule(
        "who is forgotten has no prescription and no card",
        """SELECT person || ': forgotten, and still in the file' FROM person WHERE known = 0
            AND (birth_year, rest_bpm, ceiling_bpm, max_bpm, beta_blocker, cards, set_by) <> (0, 0, 0, 0, 0, '', '')""",
        PRIVATE,
    ),
    Rule(
        "a card is one person's",
        """SELECT value || ': card of ' || group_concat(person, ' and ')
        FROM (SELECT DISTINCT person, value FROM person,
            json_each('["' || replace(replace(replace(cards, '\\', '\\\\'), '"', '\\"'), ' ', '","') || '"]')
            WHERE known = 1 AND cards <> '') GROUP BY value HAVING count(*) > 1""",
        PRIVATE,
    ),
    Rule(
        "what was measured came from a kiosk or from staff",
        """SELECT 'input ' || seq || ': ' || decision || ' by ' || by || ' at ' || kiosk FROM vitals
        WHERE (kiosk = '') = (by = '') OR (decision = 'lifted' AND coalesce(systolic_mmhg, diastolic_mmhg, pulse_bpm,
            weight_kg) IS NOT NULL)""",
        PRIVATE,
    ),
    Rule(
        "an order stands until it is closed, by somebody and by a step",
        """SELECT order_id || ': ' || state || ', standing ' || standing || ', closed by ' || closed_by
        FROM work_order o WHERE standing <> (state <> 'closed') OR (state = 'closed') <> (closed_by <> '')
            OR (state = 'closed' AND NOT EXISTS (SELECT 1 FROM work_order_step s
                WHERE s.order_id = o.order_id AND s.step IN ('passed', 'removed')))""",
        LOCKED,
    ),
    Rule(
        "orders and their steps belong together",
        """SELECT order_id || ': an order without a step' FROM work_order o
            WHERE NOT EXISTS (SELECT 1 FROM work_order_step s WHERE s.order_id = o.order_id)
        UNION ALL SELECT order_id || ' at input ' || seq || ': a step of no order' FROM work_order_step s
            WHERE NOT EXISTS (SELECT 1 FROM work_order o WHERE o.order_id = s.order_id)""",
        LOCKED,
    ),
    Rule(
        "nobody trains on a machine that is locked out",
        """SELECT o.asset || ': locked out by ' || o.order_id || ', workout ' || w.workout_id || ' under way'
        FROM work_order o JOIN workout w ON w.asset = o.asset AND w.standing = 1 WHERE o.state = 'locked_out'""",
        LOCKED,
    ),
    Rule(
        "a photo that stands has its picture, and one that was erased has none",
        """SELECT kind || ' ' || ref || ': ' || CASE WHEN d.jpeg IS NULL THEN 'no picture'
            ELSE length(d.jpeg) || ' of ' || size_bytes || ' bytes' END
            FROM photo p LEFT JOIN photo_data d USING (kind, ref)
            WHERE d.jpeg IS NULL OR length(d.jpeg) <> size_bytes OR (standing = 1) <> (size_bytes > 0)
                OR (standing = 1) <> (digest <> '')
        UNION ALL SELECT kind || ' ' || ref || ': a picture of which nothing is told' FROM photo_data d
            WHERE NOT EXISTS (SELECT 1 FROM photo p WHERE p.kind = d.kind AND p.ref = d.ref)""",
        PRIVATE,
    ),
    Rule(
        "the photo of an order stands no longer than the order, that of an inspection is of one",
        """SELECT ref || ': ' || ifnull(o.state, 'no such order') || ', and its photo stands'
            FROM photo p LEFT JOIN work_order o ON o.order_id = p.ref
            WHERE p.kind = 'order' AND p.standing = 1 AND ifnull(o.standing, 0) = 0
        UNION ALL SELECT ref || ': a photo of inspection ' || inspection || ', which is none of its' FROM photo p
            WHERE (kind = 'order' AND inspection <> 0) OR (kind = 'inspection' AND NOT EXISTS (
                SELECT 1 FROM inspection i WHERE i.seq = p.inspection AND i.asset = p.ref))""",
        PRIVATE,
    ),
    Rule(
        "who waits is waiting or called, and to one machine",
        """SELECT entry_id || ': ' || state || ', waiting ' || waiting || ', machine ' || asset FROM queue_entry
            WHERE waiting <> (state IN ('waiting', 'called')) OR (state = 'called' AND asset = '')
                OR (state = 'waiting' AND asset <> '')
        UNION ALL SELECT person || ': waits ' || count(*) || ' times' FROM queue_entry WHERE waiting = 1
            GROUP BY person HAVING count(*) > 1
        UNION ALL SELECT asset || ': ' || count(*) || ' are called to it' FROM queue_entry
            WHERE waiting = 1 AND asset <> '' GROUP BY asset HAVING count(*) > 1""",
        BACKUP,
    ),
    Rule(
        "the laps of an outing are those that count",
        """SELECT o.outing_id || ': ' || o.laps || ' laps, ' || count(l.lap) || ' of them told' FROM outing o
            LEFT JOIN lap l ON l.outing_id = o.outing_id AND l.problem IN ('', 'missing_gate')
            GROUP BY o.outing_id HAVING o.laps <> count(l.lap)
        UNION ALL SELECT outing_id || ' lap ' || lap || ': a lap of no outing' FROM lap l
            WHERE NOT EXISTS (SELECT 1 FROM outing o WHERE o.outing_id = l.outing_id)""",
        BACKUP,
    ),
    Rule(
        "the sums of an hour hold each other",
        """SELECT day || ' ' || hour || ' h, ' || zone || ' ' || kind || ': waits ' || waits || ', ' || wait_ms
            || ' ms, longest ' || longest_wait_ms FROM use_hour
        WHERE min(busy_ms, workouts, turned_away, waits, wait_ms, longest_wait_ms) < 0 OR longest_wait_ms > wait_ms
            OR (waits = 0 AND wait_ms > 0)""",
        BACKUP,
    ),
    Rule(
        "the days of a machine have its wear",
        """SELECT asset || ' on ' || day || ': a day of wear, and no wear' FROM wear_day d
            WHERE NOT EXISTS (SELECT 1 FROM wear w WHERE w.asset = d.asset)
        UNION ALL SELECT asset || ' on ' || day || ': a day of use, and no wear' FROM count_day d
            WHERE NOT EXISTS (SELECT 1 FROM wear w WHERE w.asset = d.asset)""",
        BACKUP,
    ),
    Rule(
        "an alarm that stands has its history",
        """SELECT alarm_id || ': stands, and no event tells of it' FROM alarm a WHERE standing = 1
            AND NOT EXISTS (SELECT 1 FROM alarm_event e WHERE e.alarm_id = a.alarm_id)""",
        "acknowledge the alarm and look after its cause; the history before is in the backup",
    ),
)
