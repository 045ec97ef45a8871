#!/usr/bin/perl

# $tomo_* in access_log, and a log format without URI and headers.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Snapshot;
use Tomo::Test::Webhook;

my $edge = Tomo::Test::Nginx->new(redis => '/nowhere.sock', workers => 1,
    http => <<'END', server => <<'END');
log_format tomo 'a=$tomo_account f=$tomo_friend l=$tomo_link s=$tomo_survey '
    'v=$tomo_verdict e=$tomo_events $status';
END
access_log tomo.log tomo;
location /plain { return 204; }
END
write_snapshot($edge);
$edge->launch;

my $body = webhook_body(follow_event(user_id(1)));

sub logged {
    my ($what, $want, $request) = @_;
    my $file = "$edge->{folder}/tomo.log";
    my $from = length read_file($file);
    $request->();
    my $line = wait_for(sub { (substr read_file($file), $from) =~ /^(.*)\n/ && $1 }, 'the line', 5);
    is $line, $want, $what;
    return;
}

sub post { my @h = @_; return sub { http_post($edge->port, '/line/webhook/demo', $body, @h) } }

logged('taken', 'a=demo f=- l=- s=- v=accepted e=1 200', sub { send_webhook($edge, $body) });
logged('no signature', 'a=- f=- l=- s=- v=signature_missing e=- 401', post());
logged('malformed', 'a=- f=- l=- s=- v=signature_malformed e=- 401',
    post('x-line-signature' => 'x'));
logged('wrong', 'a=demo f=- l=- s=- v=signature_wrong e=- 401',
    post('x-line-signature' => sign($body . 'x')));
logged('unknown account', 'a=- f=- l=- s=- v=account_unknown e=- 401',
    sub { send_webhook($edge, $body, account => 'nobody') });
logged('encoded', 'a=- f=- l=- s=- v=encoded e=- 415', post('Content-Encoding' => 'br'));
logged('GET', 'a=- f=- l=- s=- v=method e=- 405',
    sub { http_get($edge->port, '/line/webhook/demo') });
logged('not ours', 'a=- f=- l=- s=- v=- e=- 204', sub { http_get($edge->port, '/plain') });

done_testing;
