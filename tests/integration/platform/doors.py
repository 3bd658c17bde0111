"""Every address there is, and what it answers to whom. A new one needs a line here, thought about and not copied.

The columns: nobody, a stranger with an account, the owner of what the address names, staff. Each sends a body that
means nothing, so 415, 422 and 501 mean: let in, and then refused for that. A page's form is refused with 403 for want
of a CSRF token. What deletes stands last.
"""

TABLE = """
GET    /healthz                                         200 200 200 200
GET    /readyz                                          200 200 200 200
GET    /api/schema                                      200 200 200 200
POST   /api/zaps/run                                    422 422 422 422
POST   /api/zaps/{slug}/plan                            422 422 422 422
GET    /api/zaps/{slug}/evidence                        401 404 200 200
GET    /api/runs                                        401 200 200 200
GET    /api/runs/{run_id}                               404 404 200 200
GET    /api/runs/{run_id}/events                        404 404 200 200
GET    /api/runs/{run_id}/attempts                      404 404 200 200
GET    /api/runs/{run_id}/log                           404 404 200 200
GET    /api/runs/{run_id}/share                         404 404 200 200
POST   /api/runs/{run_id}/share                         404 404 422 422
DELETE /api/runs/{run_id}/share/{share_id}              404 404 204 204
POST   /api/runs/{run_id}/cancel                        404 404 422 422
POST   /api/runs/{run_id}/approve                       404 404 422 422
POST   /api/runs/{run_id}/reject                        404 404 422 422
POST   /api/runs/{run_id}/retry                         404 404 422 422
POST   /api/runs/{run_id}/resume                        404 404 422 422
POST   /api/runs/{run_id}/rerun-from                    404 404 422 422
POST   /api/runs/{run_id}/fork                          404 404 422 422
POST   /api/runs/{run_id}/feedback                      404 404 422 422
POST   /api/runs/{run_id}/compile                       404 404 422 422
GET    /api/events                                      401 200 200 200
GET    /api/assets/{asset_id}/content                   404 404 200 200
GET    /api/providers                                   401 200 200 200
POST   /api/providers/reach                             401 422 422 422
POST   /api/providers/poll/drain                        401 401 401 401
POST   /api/providers/{provider}/webhook/{token}        404 404 404 404
GET    /api/dead-letters                                401 403 403 200
POST   /api/dead-letters/redrive                        401 403 403 422
POST   /api/uploads                                     401 415 415 415
POST   /api/uploads/sign                                401 501 501 501
POST   /api/uploads/{direct_id}/complete                401 501 501 501
GET    /api/usage                                       401 200 200 200
GET    /api/info                                        401 403 403 200
GET    /api/zaps                                        200 200 200 200
POST   /api/zaps/validate                               422 422 422 422
POST   /api/zaps/publish                                401 422 422 422
GET    /api/zaps/{slug}                                 404 404 200 200
GET    /api/keys                                        401 200 200 200
POST   /api/keys                                        401 422 422 422
DELETE /api/keys/{prefix}                               401 404 204 204
GET    /api/keys/{prefix}                               401 404 200 200
POST   /api/keys/{prefix}/rotate                        401 404 422 422
GET    /api/prices                                      401 403 403 200
POST   /api/prices                                      401 403 403 422
GET    /api/prices/history                              401 403 403 200
POST   /api/prices/sync                                 401 403 403 422
DELETE /api/session                                     204 204 204 204
GET    /api/session                                     200 200 200 200
POST   /api/session                                     422 422 422 422
GET    /api/secrets                                     401 200 200 200
GET    /api/secrets/accesses                            401 200 200 200
GET    /api/secrets/operator                            401 403 403 200
DELETE /api/secrets/operator/{provider}                 401 403 403 204
PUT    /api/secrets/operator/{provider}                 401 403 403 422
POST   /api/secrets/operator/{provider}/test            401 403 403 200
DELETE /api/secrets/runs/{run_id}                       401 204 204 204
DELETE /api/secrets/{provider}                          401 204 204 204
PUT    /api/secrets/{provider}                          401 422 422 422
POST   /api/secrets/{provider}/test                     401 200 200 200
GET    /api/webhooks                                    401 200 200 200
POST   /api/webhooks                                    401 422 422 422
GET    /api/webhooks/{hook_id}                          401 404 200 200
PATCH  /api/webhooks/{hook_id}                          401 404 422 422
POST   /api/webhooks/{hook_id}/test                     401 404 422 422
POST   /api/webhooks/{hook_id}/rotate                   401 404 422 422
GET    /api/webhooks/{hook_id}/deliveries               401 404 200 200
POST   /api/webhooks/{hook_id}/deliveries/{event_id}/resend 401 404 422 422
DELETE /api/webhooks/{hook_id}                          401 404 204 204
GET    /api/notifications                               401 200 200 200
PUT    /api/notifications                               401 422 422 422
GET    /api/notifications/stop/{token}                  404 404 404 404
GET    /.well-known/agent.json                          200 200 200 200
GET    /                                                200 200 200 200
GET    /zaps/{slug}                                     404 404 200 200
POST   /zaps/{slug}/plan                                404 404 200 200
POST   /zaps/{slug}/run                                 404 404 403 403
GET    /zaps/{slug}/poster.jpg                          404 404 404 404
GET    /zaps/{slug}/poster.svg                          200 200 200 200
GET    /stills/{asset_id}.jpg                           404 404 200 200
GET    /zaps/{slug}/versions                            404 404 200 200
GET    /studio                                          302 200 200 200
POST   /studio/check                                    302 200 200 200
POST   /studio/keep                                     302 403 403 403
GET    /runs                                            302 200 200 200
GET    /runs/{run_id}                                   404 404 200 200
GET    /runs/{run_id}/fork                              404 404 200 200
POST   /runs/{run_id}/fork                              404 404 403 403
POST   /runs/{run_id}/fork/plan                         404 404 200 200
POST   /runs/{run_id}/delete                            404 404 403 403
POST   /runs/{run_id}/share                             404 403 403 403
POST   /runs/{run_id}/{verb}                            404 404 403 403
GET    /account                                         302 200 200 200
POST   /account/keys                                    302 403 403 403
POST   /account/keys/{prefix}/revoke                    302 404 403 403
POST   /account/keys/{prefix}/rotate                    302 404 403 403
POST   /account/secrets/{provider}/{verb}               302 404 404 404
GET    /sign-in                                         200 302 302 302
POST   /sign-in                                         200 302 302 302
POST   /sign-out                                        302 302 302 302
DELETE /api/runs/{run_id}                               404 404 204 204
"""

DOORS = [tuple(line.split()) for line in TABLE.strip().splitlines()]
