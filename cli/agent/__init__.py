"""What `zap mcp` serves: Zaps as tools that a model can call, by the Model Context Protocol.

server    the tools by name, and the transport
recipes   look for recipes, check texts, quote, read the manual
runs      start, watch and decide
uploads   send a file of this machine
assets    what was made: where it is, and small pictures themselves
desk      what one server has at hand for its whole life: a client, workers, a purse
purse     what may be spent; kept here, whatever the model says
folders   which files of this machine may be read; kept here too
telling   snapshots as short as a model needs them, and refusals with their remedy
"""
