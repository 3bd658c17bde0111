import json
import sys

event = json.load(sys.stdin)["flow"]["event"]
print("Hello,", event["payload"]["name"])
print("FLOW_RESULT", json.dumps({"status": "completed", "greeted": event["payload"]["name"]}))
