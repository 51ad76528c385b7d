"""The one place that knows everyone: settings in, use cases over real adapters out.

One file for each verb, so that a function imports only what it uses: the webhook has to start fast.
"""
