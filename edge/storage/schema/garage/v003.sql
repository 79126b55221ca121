-- Version 3: a start reads the charges that matter now, not those of all years (edge/domain/garage/charging_book.py): the
-- ones on their way, and the ones answered since the copy of the purses. An index of one state is used only where the
-- query asks for this very state; the one on (state, at_ns) where state <> 'paid' served no query.

DROP INDEX charge_outbox_open;
CREATE INDEX charge_outbox_pending ON charge_outbox (session_id) WHERE state = 'pending';
CREATE INDEX charge_outbox_owed ON charge_outbox (session_id) WHERE state = 'owed';
CREATE INDEX charge_outbox_by_answer ON charge_outbox (answered_ns);
