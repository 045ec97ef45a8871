#!/usr/bin/env perl
# The same bubbles as a reply and as a push: after a rollback of Redis ingest
# may decide for the other way.  RELIABILITY.md D4, T42.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tomo::Test;
use Tomo::Test::Dispatch ();

my $PUSH  = '/v2/bot/message/push';
my $REPLY = '/v2/bot/message/reply';

my $d = Tomo::Test::Dispatch->new(friends => 2);
my $worker = $d->start;
my $calls = sub { scalar @{ $d->sim->requests(0, $_[0]) } };

# --- a reply that went out, then the push of the same -----------------------
my $key = Tomo::Test::Dispatch::uuid("$$ a");
my $id  = $d->reply(1, $d->reply_token(1), 'welcome', key => $key);
is $d->verdict($id)->{send}, 'accepted', 'a reply is accepted';
my $again = $d->push(1, 'welcome', key => $key);
is $d->verdict($again)->{send}, 'accepted', 'D4: its push is settled as the reply was';
is $calls->($PUSH), 0, 'D4: without a request';
is_deeply $d->texts(1), ['welcome'], 'D4: the friend has it once';

# --- a token that cannot be used, then the push -----------------------------
$key = Tomo::Test::Dispatch::uuid("$$ b");
$id  = $d->reply(1, 'no-token', 'second', key => $key);
is $d->verdict($id)->{send}, 'unusable', 'a token that LINE refuses';
$again = $d->push(1, 'second', key => $key);
is $d->verdict($again)->{send}, 'accepted', 'the push under the same key goes out';
is_deeply $d->texts(1), ['welcome', 'second'], 'once';
$id = $d->reply(1, $d->reply_token(1), 'second', key => $key);
is $d->verdict($id)->{send}, 'accepted', 'D4: and the reply again is settled as the push was';
is_deeply $d->texts(1), ['welcome', 'second'], 'D4: nothing came twice';

# --- a reply of unknown outcome, then the push ------------------------------
$key = Tomo::Test::Dispatch::uuid("$$ c");
$d->sim->faults({ path => $REPLY, share => 1, times => 1, kind => 'slow' });
my $token  = $d->reply_token(2);
my $before = $calls->($REPLY);
$id = $d->reply(2, $token, 'perhaps', key => $key);
ok wait_for(sub { $calls->($REPLY) > $before }, 'the request'), 'LINE has a reply';
$worker->kill_now;
$d->redis->cmd('XDEL', 'tomo:{demo}:out', $id);    # Redis does not know it any more
$again = $d->push(2, 'perhaps', key => $key);
$worker->launch;
is $d->verdict($again)->{send}, 'probably', 'T42: after a reply of unknown outcome: probably';
is $calls->($PUSH), 1, 'T42: nothing is pushed';

# --- a push of unknown outcome, then the reply ------------------------------
$key = Tomo::Test::Dispatch::uuid("$$ d");
$d->sim->faults({ path => $PUSH, share => 1, times => 1, kind => 'slow' });
$before = $calls->($PUSH);
$id = $d->push(2, 'the other way', key => $key);
ok wait_for(sub { $calls->($PUSH) > $before }, 'the request'), 'LINE has a push';
$worker->kill_now;
$d->redis->cmd('XDEL', 'tomo:{demo}:out', $id);
$again = $d->reply(2, $d->reply_token(2), 'the other way', key => $key);
$worker->launch;
is $d->verdict($again)->{send}, 'unusable', 'after a push of unknown outcome no reply';
$again = $d->push(2, 'the other way', key => $key);
is $d->verdict($again)->{send}, 'accepted', 'but the push once more';
is scalar(grep { $_ eq 'the other way' } @{ $d->texts(2) }), 1, 'which LINE knows by its key';

done_testing;
