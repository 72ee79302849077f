-- What changed from night to night, from the lines that `emaconform fleet merge --trend trend.jsonl` adds. In this folder:
--   sqlite3 -box :memory: '.read trend.sql'
CREATE TABLE lines AS
  WITH RECURSIVE split(line, rest) AS (
    SELECT '', CAST(readfile('trend.jsonl') AS TEXT)
    UNION ALL
    SELECT substr(rest, 1, instr(rest, char(10)) - 1), substr(rest, instr(rest, char(10)) + 1)
    FROM split WHERE instr(rest, char(10)) > 0
  )
  SELECT line FROM split WHERE line <> '';

CREATE VIEW nights AS
  SELECT json_extract(line, '$.made') AS made, json_extract(value, '$.name') AS connector,
         json_extract(value, '$.verdict') AS verdict, json_extract(value, '$.failed') AS failed,
         json_extract(value, '$.judged') AS judged, json_extract(value, '$.checks') AS checks
  FROM lines, json_each(line, '$.connectors');

CREATE VIEW changes AS
  SELECT made, connector, was, verdict AS "is", failed_before, failed
  FROM (
    SELECT *, lag(verdict) OVER w AS was, lag(failed) OVER w AS failed_before
    FROM nights WINDOW w AS (PARTITION BY connector ORDER BY made)
  )
  WHERE was IS NOT NULL AND (was <> verdict OR failed_before <> failed);

SELECT substr(made, 1, 10) AS night, verdict, count(*) AS connectors FROM nights GROUP BY made, verdict ORDER BY made, verdict;
SELECT * FROM changes ORDER BY made, connector;
