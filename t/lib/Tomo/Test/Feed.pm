package Tomo::Test::Feed;

# The edge feed as the worker publishes it (docs/formats.md, section 9), for
# tests of the edge alone; and tokens.
#
#   publish($redis, { id => 'demo', number => 1, version => 2,
#                     secrets => [$secret], links => { 1 => $url } });
#   my ($token) = tokens({ link => 1, friend => 7 });

use strict;
use warnings;
use Exporter 'import';
use Tomo::Test::Files ();

our @EXPORT = qw(publish unpublish tokens wait_served);

sub _ask {
    my ($key, @lines) = @_;
    $key //= [Tomo::Test::read_file(Tomo::Test::Files::path('edge.key')) =~ /^(\d+):(\w+)/];
    my $tool = Tomo::Test::build_path('tools/mkfeed', 'TOMO_MKFEED');
    my $file = Tomo::Test::temp_dir() . '/mkfeed.in';
    Tomo::Test::write_file($file, join '', map {"$_\n"} @lines);
    open my $fh, '-|', "$tool $key->[0] $key->[1] < $file" or die "$tool: $!\n";
    chomp(my @answers = <$fh>);
    close $fh or die "$tool failed (make tools)\n";
    return @answers;
}

# Accounts: { id, number, version, secrets => [1st, 2nd], key => [id, hex],
# links => { N => url or { url, open } }, surveys => { N => compiled form } }.
sub publish {
    my ($redis, @accounts) = @_;
    for my $a (@accounts) {
        my $id     = $a->{id}     // 'demo';
        my $number = $a->{number} // 1;
        my @secrets = @{ $a->{secrets} // [$Tomo::Test::Files::CHANNEL_SECRET] };
        my @sealed = _ask($a->{key}, map {"seal $id $_ $secrets[ $_ - 1 ]"} 1 .. @secrets);
        my @fields = (number => $number);
        push @fields, "secret/$_" => pack 'H*', $sealed[ $_ - 1 ] for 1 .. @secrets;
        my $links = $a->{links} || {};
        push @fields, "link/$_" => link_line($links->{$_}) for keys %$links;
        my $surveys = $a->{surveys} || {};
        push @fields, "survey/$_" => $surveys->{$_} for keys %$surveys;
        push @fields, @{ $a->{more} || [] };
        $redis->cmd('MULTI');
        $redis->cmd('DEL', "tomo:{$id}:feed");
        $redis->cmd('HSET', "tomo:{$id}:feed", @fields, version => $a->{version} // 1);
        $redis->cmd('SADD', 'tomo:accounts', $id);
        $redis->cmd('EXEC');
    }
    return;
}

sub link_line {
    my ($link) = @_;
    $link = { url => $link, open => 1 } if !ref $link;
    my $url = $link->{url};
    $url =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
    return "url=$url&open=$link->{open}";
}

# Tokens: { account, kind, link, friend, delivery, day, check, key }.
sub tokens {
    my @list  = @_;
    my $today = int(time / 86400) - 18262;
    return map {
        my $t = $_;
        _ask($t->{key}, join ' ', 'token', $t->{account} // 1, $t->{kind} // 1,
            $t->{link} // 1, $t->{friend} // 0, $t->{delivery} // 0, $t->{day} // $today,
            $t->{check} // 0);
    } @list;
}

# Waits until the edge has applied a version of the account.
sub wait_served {
    my ($redis, $version, $account) = @_;
    $account //= 'demo';
    return Tomo::Test::wait_for(
        sub { grep {/\b$account:$version\b/} values %{ $redis->hash('tomo:edges') } },
        "version $version at the edge", 10
    );
}

1;
