"""WSGI filter in front of every API: answers some requests with a made-up status.

A rule is a JSON file in knobs/faults.  Keys, all optional but one of status/delay/hold/query:
  service  keystone|placement|glance|neutron|nova|cinder     (default: any)
  method   POST, GET, ...                                    (default: any)
  path     regular expression, searched in the path           (default: any)
  status   429, 503, ...       headers  {"Retry-After": "2"}  body  JSON value or string
  delay    seconds to wait first; without status the request then goes on
  hold     a name: the request waits until `ctl fault release NAME` (or clear), two minutes at most; then as above
  query    replaces these parameters of the request, which then goes on: {"limit": "2"}
  after    true: the real service carries the request out, only its answer is replaced
  count    how many requests to hit, then the rule removes itself (default: no end)
"""
import fcntl
import http.client
import json
import os
import re
import time
import urllib.parse

DIR = os.path.join(os.environ['MITA_OPENSTACK_DIR'], 'knobs', 'faults')
LONGEST_HOLD = 120


class Faults:
    def __init__(self, app, service):
        self.app = app
        self.service = service

    def _take(self, path, environ):
        try:
            with open(path, 'r+') as f:
                fcntl.flock(f, fcntl.LOCK_EX)
                if not os.path.exists(path):
                    return None
                rule = json.load(f)
                if rule.get('service') not in (None, self.service):
                    return None
                if rule.get('method') not in (None, environ['REQUEST_METHOD']):
                    return None
                full = environ.get('SCRIPT_NAME', '') + environ.get('PATH_INFO', '')
                if not re.search(rule.get('path', ''), full):
                    return None
                if 'count' in rule:
                    if rule['count'] <= 1:
                        os.unlink(path)
                    left = dict(rule, count=rule['count'] - 1)
                    f.seek(0)
                    f.truncate()
                    json.dump(left, f)
                return rule
        except (OSError, ValueError):
            return None

    def __call__(self, environ, start_response):
        try:
            names = sorted(n for n in os.listdir(DIR) if n.endswith('.json'))
        except OSError:
            names = []
        for name in names:
            rule = self._take(os.path.join(DIR, name), environ)
            if rule is None:
                continue
            if rule.get('delay'):
                time.sleep(float(rule['delay']))
            if rule.get('hold'):
                held = os.path.join(DIR, rule['hold'] + '.hold')
                end = time.monotonic() + LONGEST_HOLD
                while os.path.exists(held) and time.monotonic() < end:
                    time.sleep(0.05)
            if rule.get('query'):
                query = urllib.parse.parse_qsl(environ.get('QUERY_STRING', ''))
                query = [(k, v) for k, v in query if k not in rule['query']]
                environ['QUERY_STRING'] = urllib.parse.urlencode(query + list(rule['query'].items()))
            if 'status' in rule:
                return self._answer(rule, environ, start_response)
            break
        return self.app(environ, start_response)

    def _answer(self, rule, environ, start_response):
        if rule.get('after'):
            out = self.app(environ, lambda status, headers, exc_info=None: (lambda b: None))
            for _ in out:
                pass
            if hasattr(out, 'close'):
                out.close()
        else:
            try:
                environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
            except Exception:
                pass
        code = int(rule['status'])
        reason = http.client.responses.get(code, 'Unknown')
        headers = {str(k): str(v) for k, v in (rule.get('headers') or {}).items()}
        body = rule.get('body')
        if body is None:
            if code in (413, 429):
                body = {'overLimit': {'code': code, 'message': 'This request was rate-limited.',
                                      'retryAfter': headers.get('Retry-After', '0')}}
            else:
                body = {'error': {'code': code, 'title': reason, 'message': 'made up by a fault rule: ' + reason}}
        if not isinstance(body, str):
            body = json.dumps(body)
            headers.setdefault('Content-Type', 'application/json')
        data = body.encode()
        headers['Content-Length'] = str(len(data))
        start_response('%d %s' % (code, reason), sorted(headers.items()))
        return [data]


def factory(global_conf, service='', **local_conf):
    def filter_(app):
        return Faults(app, service)
    return filter_
