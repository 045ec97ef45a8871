package Tomo::Test::Steps;

# Friends who walk through a scenario, with the real ingest and the real
# dispatch as roles of their own, and the simulator as LINE; the test is the
# edge. What arrived on which phone is the simulator's word.
#
#   my $s = Tomo::Test::Steps->new;          # both roles run
#   my @users = $s->follow(20);              # they add the account
#   $s->walk;                                # every step, at its moment
#   my $got = $s->arrived(@users);           # { user => { step => times } }
#
# Three steps: `a` at once, a free reply with the friend's name; `b` at 10:00
# of the next day, the same text for all (a multicast); `c` three days after
# the start, with the name (pushes).

use strict;
use warnings;
use parent -norequire, 'Tomo::Test::Dispatch';
use JSON::PP ();
use Tomo::Test::Dispatch ();
use Tomo::Test::Ingest ();

our @STEPS = qw(a b c);

my $count = 0;

my %SCENARIO = (
    kind  => 'scenario',
    id    => 'walk',
    name  => 'walk',
    start => [{ on => 'friend.added' }],
    again => 'ignore',
    late  => 'send',
    steps => [
        { id => 'a', after => { minutes => 0 },
            messages => [{ type => 'text', text => 'step a {{name|you}}' }] },
        { id => 'b', at => { day => 1, time => '10:00' },
            messages => [{ type => 'text', text => 'step b' }] },
        { id => 'c', after => { days => 3 },
            messages => [{ type => 'text', text => 'step c {{name|you}}' }] },
    ],
);

# new(roles => [...], documents => [{...}]): which roles to start, the others are
# the test's to start; definitions other than the walk
sub new {
    my ($class, %o) = @_;
    my $self = $class->SUPER::new(%o, friends => 0);
    $self->{number} = ++$count;     # own folders: a journal remembers what was sent
    $self->write_definitions;
    $self->{offset} = 0;
    Tomo::Test::Files::path('clock');
    Tomo::Test::Files::set_clock(0);
    $self->{in} = bless { redis => $self->{redis}, seq => 0 }, 'Tomo::Test::Ingest';
    $self->role($_)->launch for @{ $o{roles} // ['ingest', 'dispatch'] };
    return $self;
}

# The definitions as a folder, for a worker that is not of ours too.
sub write_definitions {
    my ($self) = @_;
    my $folder = $self->{definitions} //= sprintf '%s/walk-%d', Tomo::Test::temp_dir(),
        $self->{number} // 0;
    mkdir $folder;
    for my $document (@{ $self->{documents} // [\%SCENARIO] }) {
        mkdir "$folder/$document->{kind}";
        Tomo::Test::write_file("$folder/$document->{kind}/$document->{id}.json",
            JSON::PP->new->canonical->encode($document));
    }
    return $folder;
}

# The worker object of a role ('' is all of them under the supervisor), made on
# first use; not started.
sub role {
    my ($self, $role) = @_;
    $self->{made}{$role} //= Tomo::Test::Worker->new(
        $role ? (role => $role) : (), redis => $self->{redis},
        name => ($role || 'worker') . "-$self->{number}",
        sim => $self->{sim}, sandbox => 1, definitions => $self->{definitions});
    return $self->{made}{$role};
}

# n persons add the account, each in a webhook of its own; their user ids
sub follow {
    my ($self, $n) = @_;
    my $from  = -s $self->{webhooks} // 0;
    my @users = map { $self->{sim}->add_friend("Friend $_") } 1 .. $n;
    open my $fh, '<', $self->{webhooks} or die "$self->{webhooks}: $!\n";
    seek $fh, $from, 0;
    while (my $body = <$fh>) {
        chomp $body;
        $self->{in}->add('webhook', $body, 'in', $self->now) if length $body;
    }
    return @users;
}

sub now { return Tomo::Test::now_ms() + $_[0]{offset} }

# nothing is to be decided, nothing to be sent, nothing due?
sub settled {
    my ($self) = @_;
    my $redis = $self->{redis};
    my $in    = $self->{in};
    my $cursor = $in->cursor;
    for my $lane ('in', 'bulk') {
        my $last = $redis->cmd('XREVRANGE', $in->key($lane), '+', '-', 'COUNT', 1);
        return 0 if @$last && ($cursor->{$lane} // '0-0') ne $last->[0][0];
    }
    return 0 if $redis->cmd('XLEN', $in->key('out'));
    return 0 if $redis->cmd('ZCOUNT', $in->key('sched'), '-inf', $self->now);
    # a commit may have come in between
    my $again = $in->cursor;
    return ($again->{n} // 0) == ($cursor->{n} // 0);
}

# Waits for that; $watch->() is called again and again.
sub settle {
    my ($self, $what, $watch) = @_;
    return Tomo::Test::wait_for(sub { $watch->() if $watch; $self->settled }, $what, 30);
}

# Every moment of the schedule in turn; false: something stood still.
sub walk {
    my ($self, $watch) = @_;
    $self->settle('the first step', $watch) or return 0;
    for (1 .. 100) {
        my $next = $self->{redis}->cmd('ZRANGE', $self->{in}->key('sched'), 0, 0, 'WITHSCORES');
        return 1 if !@$next;
        $self->{offset} += $next->[1] - $self->now + 1500;
        Tomo::Test::Files::set_clock($self->{offset});
        $self->settle('the next step', $watch) or return 0;
    }
    return 0;
}

# { user => { step => times it arrived } }
sub arrived {
    my ($self, @users) = @_;
    my %got;
    for my $user (@users) {
        $got{$user} = { map { $_ => 0 } @STEPS };
        for my $message (map { @{ $_->{messages} } } @{ $self->{sim}->inbox($user) }) {
            $got{$user}{ $message->{text} =~ /^step (\w)/ ? $1 : '?' }++;
        }
    }
    return \%got;
}

1;
