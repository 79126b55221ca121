-- Version 2: what a person may do with the lines that a sink refused (edge/storage/sinks/quarantine.py).
-- sent: 1 when the line is what went to the sink, 0 for a sample that no line could hold. again: 0 it stands aside,
-- 1 it is to be sent again, 2 it was sent again and the sink may still lose it.

ALTER TABLE quarantine ADD COLUMN sent INTEGER NOT NULL DEFAULT 1 CHECK (sent IN (0, 1));
ALTER TABLE quarantine ADD COLUMN again INTEGER NOT NULL DEFAULT 0 CHECK (again IN (0, 1, 2));
UPDATE quarantine SET sent = 0 WHERE reason NOT LIKE 'HTTP %' AND reason NOT LIKE 'the broker refuses%';
CREATE INDEX quarantine_by_sink ON quarantine (sink, again, id);
