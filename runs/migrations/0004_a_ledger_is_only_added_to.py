"""The ledger refuses changes in the database itself; runs that are under way get what the new columns mean."""

from django.db import migrations

CREATE = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger rows never change: add an entry instead'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'ledger_append_only';
END
$$;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
"""
DROP = """
DROP TRIGGER ledger_append_only ON ledger;
DROP FUNCTION ledger_refuse_change();
"""
CARRY_OVER = """
UPDATE steps SET
    spec = '{"candidates": 1, "judge": null, "gate": null, "shared": false, "skipped": false, "retry": {"max": 0,
        "backoff_s": "0", "fallback_provider": null, "fallback_model": null, "fallback_usd": "0"}}'::jsonb || spec,
    reserved_usd = CASE status WHEN 'queued' THEN price_quote_usd ELSE 0 END,
    reserved_on = CASE status WHEN 'queued' THEN (now() AT TIME ZONE 'UTC')::date END,
    chosen_id = (SELECT a.id FROM attempts a WHERE a.step_id = steps.id AND a.status = 'done' ORDER BY a.number LIMIT 1);
UPDATE attempts SET reserved_on = (created_at AT TIME ZONE 'UTC')::date WHERE reserved_usd > 0;
"""


class Migration(migrations.Migration):
    dependencies = [("runs", "0003_money_gates_and_control")]

    operations = [
        migrations.RunSQL(CREATE, DROP),
        migrations.RunSQL(CARRY_OVER, migrations.RunSQL.noop),
    ]
