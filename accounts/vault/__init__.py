"""Other people's keys: kept encrypted, never shown again, decrypted only to be sent to the provider they are for.

sets         what makes up a provider's key, and whether what somebody gave is one
cipher       from a value to what the database holds, and back
keeping      set, list, take back
credentials  which key a request is made with: the run's own, its owner's, or the operator's
access       who used which key, and why
rotation     everything encrypted again with the newest key
"""
